"""Models that learn, as series: from the learner's views."""

from __future__ import annotations

import math

from streamgauge.exposition.sheet import Sheet
from streamgauge.state.learner_views import CandidateView, LearnerView
from streamgauge.telemetry import learning

#: What the champion is called whose answers come from elsewhere.
PUBLISHED = "published"


def put_learner(sheet: Sheet, view: LearnerView) -> None:
    """One model's learning on one partition; shards of a model add up where that means anything."""
    sheet.gauge(learning.LEARNER_PENDING, view.pending, model=view.model)
    if view.champion_loss is not None:
        labels = {"model": view.model, "candidate": PUBLISHED}
        sheet.gauge(learning.LEARNER_LOSS, view.champion_loss, **labels)
    for candidate in view.candidates:
        _put(sheet, view, candidate)


def _put(sheet: Sheet, view: LearnerView, candidate: CandidateView) -> None:
    labels = {"model": view.model, "candidate": candidate.name}
    if candidate.loss is not None:
        sheet.gauge(learning.LEARNER_LOSS, candidate.loss, **labels)
    sheet.count(learning.LEARNER_EXAMPLES, candidate.learned, **labels, outcome="learned")
    for reason, n in sorted(candidate.refused.items()):
        sheet.count(learning.LEARNER_EXAMPLES, n, **labels, outcome=reason)
    sheet.gauge(learning.LEARNER_HELD, candidate.held, **labels)
    sheet.gauge(learning.LEARNER_CHAMPION, float(view.champion == candidate.name), **labels)
    evidence = candidate.evidence.get("e_value")
    if isinstance(evidence, int | float) and math.isfinite(evidence):
        sheet.gauge(learning.LEARNER_EVIDENCE, evidence, **labels)
