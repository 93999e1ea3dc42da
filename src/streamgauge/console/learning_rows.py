"""Models that learn: who answers, who learns, who is better, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from streamgauge.console.names import key_of, said, shown
from streamgauge.console.scene import Document
from streamgauge.exposition.plain_words import plain_words
from streamgauge.exposition.words import figure
from streamgauge.state.learner_views import CandidateView, LearnerView, PlainView

MOST_ROWS = 100
MOST_DECISIONS = 12
#: What a decision's evidence is called in words.
_TOLD = {
    "labels": "labels",
    "e_value": "e-value",
    "champion_loss": "champion's loss",
    "challenger_loss": "challenger's loss",
}


def learning_rows(learners: Iterable[LearnerView]) -> list[Document]:
    """A row for each candidate, between the published answers and the plain linear model."""
    rows = [row for view in learners for row in _rows(view)]
    rest = len(rows) - MOST_ROWS
    more = [{"key": None, "name": "", "candidate": f"and {rest} more"}] if rest > 0 else []
    return rows[:MOST_ROWS] + more


def decisions(learners: Sequence[LearnerView], model: str) -> list[Document]:
    """The last decisions about a model, the newest first."""
    found = [each for view in learners if view.model == model for each in view.decisions]
    return [_decision(each) for each in reversed(found[-MOST_DECISIONS:])]


def _rows(view: LearnerView) -> list[Document]:
    held_up = "; an alarm about data quality holds learning up" if view.held_up else ""
    published = {
        "candidate": "published answers",
        "estimator": "",
        "loss": view.champion_loss,
        "learned": None,
        "evidence": None,
        "stands": f"{_champion(view)}{held_up}",
        "champion": view.champion == "published",
    }
    plain = [_plain(view.plain)] if view.plain is not None else []
    rows = [published, *(_candidate(view, each) for each in view.candidates), *plain]
    return [{"key": key_of(view.model), "name": shown(view.model), **row} for row in rows]


def _candidate(view: LearnerView, candidate: CandidateView) -> Document:
    e_value = candidate.evidence.get("e_value")
    return {
        "candidate": shown(candidate.name),
        "estimator": shown(candidate.estimator),
        "loss": candidate.loss,
        "learned": candidate.learned,
        "evidence": float(e_value) if isinstance(e_value, int | float) else None,
        "stands": said(_stands(view, candidate)),
        "champion": view.champion == candidate.name,
    }


def _plain(plain: PlainView) -> Document:
    return {
        "candidate": "plain linear model",
        "estimator": shown(plain.estimator),
        "loss": plain.loss,
        "learned": plain.learned,
        "evidence": None,
        "stands": said(f"only to compare with: {plain_words(plain)}"),
        "champion": False,
    }


def _champion(view: LearnerView) -> str:
    return "champion" if view.champion == "published" else said(f"from {view.champion} by now")


def _stands(view: LearnerView, candidate: CandidateView) -> str:
    if candidate.halted:
        return candidate.halted
    if view.champion == candidate.name:
        return "champion, learns on"
    if candidate.failed:
        return "failed"
    held = f"; {candidate.held} examples wait for clean inputs" if candidate.held else ""
    unfit = f"; its newest snapshot may not serve: {candidate.unfit}" if candidate.unfit else ""
    return f"{candidate.status or 'learning'}{held}{unfit}"


def _decision(decision: dict[str, Any]) -> Document:
    """One step of a comparison: who, from where to where, why, and on what evidence."""
    at, evidence = decision.get("time"), decision.get("evidence")
    by = f" by {decision['by']}" if decision.get("by") else ""
    steps = f"{decision.get('before', '?')} → {decision.get('after', '?')}{by}"
    reason = f": {decision['reason']}" if decision.get("reason") else ""
    told = evidence if isinstance(evidence, dict) else {}
    figures = [
        f"{what} {figure(float(told[name]))}"
        for name, what in _TOLD.items()
        if isinstance(told.get(name), int | float)
    ]
    return {
        "at": float(at) if isinstance(at, int | float) else None,
        "candidate": shown(str(decision.get("challenger", ""))),
        "promoted": decision.get("after") == "promoted",
        "text": said(f"{decision.get('kind', '')} {steps}{reason}".strip()),
        "evidence": said(", ".join(figures)),
    }
