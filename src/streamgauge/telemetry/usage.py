"""Metrics about the use of a model: what users do with its answers, and for whom they are."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

SLICE = ("model", "version", "step", "segment", "value")

FEEDBACK_RATE = Definition(
    "feedback_rate_ratio",
    "gauge",
    "Share of interactions in which users did this, last window of them.",
    ("model", "kind"),
    unit="ratio",
)
INTERACTIONS = Definition(
    "window_interactions",
    "gauge",
    "Interactions in the last window of what users do, over all shards.",
    ("model",),
)
FEEDBACK_ORPHANS = Definition(
    "feedback_orphans",
    "counter",
    "Acts on interactions of which no prediction is known.",
    ("model",),
)
SLICE_PREDICTIONS = Definition(
    "slice_predictions",
    "gauge",
    "Predictions in the last judged window, by value of a declared segment; its ten largest.",
    SLICE,
)
SLICE_ERRORS = Definition(
    "slice_error_ratio",
    "gauge",
    "Share of a slice's predictions that ended in an error, last judged window.",
    SLICE,
    unit="ratio",
)
SLICE_SEVERITY = Definition(
    "slice_severity_ratio",
    "gauge",
    "Distance of a slice from its own past, divided by its threshold. Evidence: it fires no alarm.",
    SLICE,
    unit="ratio",
)

USAGE = (
    FEEDBACK_RATE,
    INTERACTIONS,
    FEEDBACK_ORPHANS,
    SLICE_PREDICTIONS,
    SLICE_ERRORS,
    SLICE_SEVERITY,
)
