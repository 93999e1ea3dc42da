"""One challenger of a model: a pipeline that learns, its guards, and its contest."""

from __future__ import annotations

import pickle
from typing import Any

from streamgauge.learning.contest import Contest
from streamgauge.learning.examples import Said
from streamgauge.learning.guards import Guards
from streamgauge.learning.hold import Example
from streamgauge.pipelines.building import build
from streamgauge.pipelines.canonical import canonical_bytes
from streamgauge.pipelines.pipeline import Classified, Pipeline
from streamgauge.specs.model_spec import ModelSpec


class Candidate:
    """A pipeline under its name in the spec. It is asked before it learns (prequential).

    ``answered`` and ``missed`` are its answers with a known truth and the sum of their losses, in
    prediction order.
    """

    def __init__(self, name: str, spec: ModelSpec) -> None:
        self.name = name
        self.pipeline: Pipeline = build(spec, name)
        self.guards = Guards(spec.learning)
        self.contest: Contest | None = None
        self.answered = 0
        self.missed = 0.0
        #: Whether it lost its contest; it stays on record and learns on until the spec drops it.
        self.failed = False
        #: Whether the pipeline is to be written.
        self.changed = True

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec; a pipeline of another plan starts afresh."""
        fresh = build(spec, self.name)
        if fresh.plan != self.pipeline.plan:
            self.restart(fresh)
        held = self.guards.state()
        self.guards = Guards(spec.learning)
        self.guards.restore(held)

    def restart(self, fresh: Pipeline) -> None:
        """Forget all that was learned."""
        self.pipeline, self.changed = fresh, True
        self.contest, self.failed = None, False
        self.answered, self.missed = 0, 0.0

    def say(self, features: Any) -> Said:
        """Its answer to an event: a class, or a number; None where it has none."""
        answer = self.pipeline.predict(features)
        return answer.label if isinstance(answer, Classified) else answer

    def learn(self, example: Example, *, at: float) -> str:
        """Learn, if the guards let it; return why not, empty where it did."""
        reason = self.guards.learn(self.pipeline, example, at=at)
        self.changed = True
        return reason

    def quality_alarm(self, is_open: bool, *, at: float) -> int:
        """A data-quality alarm opened or closed; return how many were learned by it."""
        self.changed = True
        return self.guards.quality_alarm(self.pipeline, is_open, at=at)

    def scored(self, loss: float) -> None:
        """Take the loss of one of its answers."""
        self.answered += 1
        self.missed += loss

    @property
    def mean_loss(self) -> float | None:
        return self.missed / self.answered if self.answered else None

    def state(self) -> list[Any]:
        """All but the pipeline."""
        return [
            self.name,
            self.guards.state(),
            self.contest.state() if self.contest is not None else None,
            self.answered,
            self.missed,
            self.failed,
        ]

    def pipeline_bytes(self) -> bytes:
        """What it has learned; the same log gives the same bytes."""
        return canonical_bytes(self.pipeline.state())

    def restore(self, state: list[Any], pipeline: bytes) -> None:
        """Become what ``state`` and bytes described. The bytes must have been authenticated."""
        _, guards, contest, self.answered, self.missed, self.failed = state
        self.guards.restore(guards)
        self.contest = Contest.from_state(contest) if contest is not None else None
        self.pipeline = Pipeline.from_state(pickle.loads(pipeline))
        self.changed = False
