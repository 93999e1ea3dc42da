"""A plain linear model beside a model: how much more that one is worth than the simplest."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from typing import Any

from streamgauge.learning.answers import Answers
from streamgauge.learning.examples import SERVED, Said
from streamgauge.learning.guards import Guards
from streamgauge.learning.hold import Example
from streamgauge.pipelines.building import plain_plan
from streamgauge.pipelines.canonical import canonical_bytes
from streamgauge.pipelines.pipeline import Classified, Pipeline
from streamgauge.specs.learning import LEARNED_TASKS
from streamgauge.specs.model_spec import ModelSpec

#: Under what its answers are kept; no candidate is called so.
PLAIN = "\0plain"
#: It is asked all of the first predictions, then one in so many: beside a tree it would cost a
#: third of the learner's time, and a mean over a part says as much.
FIRST, ONE_IN = 1000, 10


class PlainLinear:
    """Asked before it learns, as candidates are, and held against the published answers.

    No contest knows of it: it can't be promoted, and spends nothing of the chance of an error.
    ``missed`` and ``served`` are the sums of its losses and of those of the published answers, over
    the same ``answered`` predictions.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec, self._guards = spec, Guards(spec.learning)
        #: None until the first event tells how many features there are.
        self.pipeline: Pipeline | None = None
        self._asked, self._width = 0, 0
        self.answered, self.missed, self.served = 0, 0.0, 0.0
        #: Whether the pipeline is to be written.
        self.changed = False

    @classmethod
    def beside(cls, spec: ModelSpec) -> PlainLinear | None:
        """The one that a spec wants; None where it wants none, or its task is not learned."""
        wanted = spec.learning.measured and spec.task in LEARNED_TASKS
        return cls(spec) if wanted else None

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec; where that makes it another model it starts afresh."""
        held = self._guards.state()
        self._spec, self._guards = spec, Guards(spec.learning)
        self._guards.restore(held)
        if self.pipeline is not None and self.pipeline.plan != plain_plan(spec, self._width):
            self.pipeline, self.changed = None, True
            self.answered, self.missed, self.served = 0, 0.0, 0.0

    def say(self, features: Mapping[str, Any], said: dict[str, Said]) -> None:
        """Put its answer to an event under its name, if it is one that it is asked."""
        self._asked += 1
        # By a hash: one in ten of a stream with a period might all be of one kind.
        drawn = zlib.crc32(self._asked.to_bytes(8, "big")) % ONE_IN == 0
        if self._asked > FIRST and not drawn:
            return
        if self.pipeline is None:
            self._width = len(features)
            self.pipeline = Pipeline(plain_plan(self._spec, self._width))
            self.changed = True
        answer = self.pipeline.predict(features)
        said[PLAIN] = answer.label if isinstance(answer, Classified) else answer

    def learn(self, example: Example, said: Mapping[str, Said], *, at: float) -> None:
        """Learn an example that it was asked, if the guards let it."""
        if PLAIN in said and self.pipeline is not None:
            self.changed |= not self._guards.learn(self.pipeline, example, at=at)

    def compare(self, said: Mapping[str, Said], truth: str | float, answers: Answers) -> None:
        """Score its answer and the published one, where there are both."""
        own, served = (answers.lost(said.get(name), truth) for name in (PLAIN, SERVED))
        if own is not None and served is not None:
            self.answered += 1
            self.missed += own
            self.served += served

    def state(self) -> list[Any]:
        """All but the pipeline."""
        sums = [self.answered, self.missed, self.served]
        return [self._asked, self._width, sums, self._guards.state()]

    def pipeline_bytes(self) -> bytes | None:
        """What it has learned; the same log gives the same bytes."""
        self.changed = False
        return canonical_bytes(self.pipeline.state()) if self.pipeline is not None else None

    def restore(self, state: list[Any], pipeline: bytes | None) -> None:
        """Become what both described. The bytes must have been authenticated."""
        self._asked, self._width, sums, guards = state
        self.answered, self.missed, self.served = sums
        self._guards.restore(guards)
        self.pipeline = Pipeline.from_state(pickle.loads(pipeline)) if pipeline else None
