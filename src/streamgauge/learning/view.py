"""A learner's view for readers: a pure function of its state."""

from __future__ import annotations

import math

from streamgauge.learning.candidate import Candidate
from streamgauge.learning.model_learner import ModelLearner
from streamgauge.learning.plain_linear import PlainLinear
from streamgauge.state.learner_views import CandidateView, LearnerView, PlainView

#: Decisions in the view.
MOST_DECISIONS = 10


def learner_view(learner: ModelLearner, partition: int) -> LearnerView:
    """Return what readers may know of a model that learns."""
    answered, championship = learner.champion_answered, learner.championship
    return LearnerView(
        model=learner.spec.model,
        partition=partition,
        champion=championship.champion,
        champion_since=championship.since,
        champion_answered=answered,
        champion_loss=learner.champion_missed / answered if answered else None,
        learned=learner.learned,
        pending=learner.join.pending,
        comparisons=championship.comparisons,
        held_up=bool(learner.broken),
        candidates=[_candidate(each) for each in learner.candidates.values()],
        plain=_plain(learner.plain) if learner.plain is not None else None,
        decisions=championship.decisions[-MOST_DECISIONS:],
        log_time=learner.log_time if math.isfinite(learner.log_time) else None,
    )


def _candidate(candidate: Candidate) -> CandidateView:
    contest, pipeline = candidate.contest, candidate.pipeline
    return CandidateView(
        name=candidate.name,
        estimator=candidate.estimator,
        learned=pipeline.learned,
        answered=candidate.answered,
        loss=candidate.mean_loss,
        halted=pipeline.halted,
        failed=candidate.failed,
        unfit=candidate.unfit,
        refused=dict(candidate.guards.refused),
        held=len(candidate.guards.hold),
        status=contest.status if contest is not None else "",
        evidence=contest.evidence() if contest is not None else {},
    )


def _plain(plain: PlainLinear) -> PlainView:
    pipeline, n = plain.pipeline, plain.answered
    return PlainView(
        estimator=pipeline.plan.estimator if pipeline is not None else "",
        learned=pipeline.learned if pipeline is not None else 0,
        answered=n,
        loss=plain.missed / n if n else None,
        champion_loss=plain.served / n if n else None,
        halted=pipeline.halted if pipeline is not None else "",
    )
