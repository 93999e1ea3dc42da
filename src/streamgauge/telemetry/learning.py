"""Metrics about models that learn: candidates, what they learned, and who is champion."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

CANDIDATE = ("model", "candidate")

LEARNER_LOSS = Definition(
    "learner_loss",
    "gauge",
    "Mean loss of a candidate's answers before it knew the truth: error ratio, or absolute error.",
    CANDIDATE,
)
LEARNER_EXAMPLES = Definition(
    "learner_examples",
    "counter",
    "Examples by what became of them: learned, or why not.",
    (*CANDIDATE, "outcome"),
)
LEARNER_HELD = Definition(
    "learner_held_examples",
    "gauge",
    "Examples that wait for a data-quality alarm to end.",
    CANDIDATE,
)
LEARNER_CHAMPION = Definition(
    "learner_champion",
    "gauge",
    "1 for the candidate that is champion, else 0 (of several shards the share).",
    CANDIDATE,
)
LEARNER_EVIDENCE = Definition(
    "learner_contest_e_value",
    "gauge",
    "Evidence that a candidate answers better than the champion; it grows where that is so.",
    CANDIDATE,
)
LEARNER_PENDING = Definition(
    "learner_pending_examples", "gauge", "Predictions that wait for their labels.", ("model",)
)
LEARNER_PLAIN_LOSS = Definition(
    "learner_plain_loss",
    "gauge",
    "Mean loss of a plain linear model that learns beside and never serves.",
    ("model",),
)
LEARNER_PLAIN_GAP = Definition(
    "learner_plain_gap",
    "gauge",
    "How much less the published answers lose than a plain linear model's, on the same events.",
    ("model",),
)

LEARNING = (
    LEARNER_LOSS,
    LEARNER_EXAMPLES,
    LEARNER_HELD,
    LEARNER_CHAMPION,
    LEARNER_EVIDENCE,
    LEARNER_PENDING,
    LEARNER_PLAIN_LOSS,
    LEARNER_PLAIN_GAP,
)
