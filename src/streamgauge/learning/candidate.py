"""One challenger of a model: a pipeline that learns, its guards, its contest, and its gate."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from streamgauge.learning.answers import Answers
from streamgauge.learning.contest import Contest
from streamgauge.learning.examples import SERVED, Said
from streamgauge.learning.gate import Gate
from streamgauge.learning.guards import Guards
from streamgauge.learning.hold import Example
from streamgauge.pipelines.building import build
from streamgauge.pipelines.canonical import canonical_bytes
from streamgauge.pipelines.pipeline import Classified, Pipeline, Plan
from streamgauge.plugins import PluginError
from streamgauge.specs.model_spec import ModelSpec

#: Answers on which a fresh pipeline and the old one are held against each other.
ENOUGH = 300


def background(name: str) -> str:
    """What the one that learns beside a candidate is called among answers."""
    return f"{name}\0beside"


def _said(pipeline: Pipeline, features: Any) -> Said:
    answer = pipeline.predict(features)
    return answer.label if isinstance(answer, Classified) else answer


def _built(spec: ModelSpec, name: str) -> Pipeline:
    """The pipeline that the spec asks for, or one that is broken and says why.

    Specs are checked when they are applied, but one from the store may be of another version, with
    estimators that are no more. That must not hold up the partition.
    """
    try:
        return build(spec, name)
    except (PluginError, ValueError, TypeError) as error:
        # No plan of a spec has the seed 0, so one that is mended starts afresh.
        broken = Pipeline(Plan(estimator="logistic_regression", task="binary", seed=0))
        broken.broken = f"it can't be built: {error}"
        return broken


class Candidate:
    """A pipeline under its name in the spec. It is asked before it learns (prequential).

    ``answered`` and ``missed`` are its answers with a known truth and the sum of their losses, in
    prediction order.
    """

    def __init__(self, name: str, spec: ModelSpec) -> None:
        self.name = name
        #: What the spec calls for, also where there is no such thing.
        self.estimator = spec.learning.challengers[name].estimator
        self.pipeline = _built(spec, name)
        self.guards = Guards(spec.learning)
        #: Whether newer snapshots of it may serve, once it is the champion.
        self.gate = Gate(spec.learning.quota)
        self.contest: Contest | None = None
        self.answered = 0
        self.missed = 0.0
        #: Whether it lost its contest; it stays on record and learns on until the spec drops it.
        self.failed = False
        #: A fresh pipeline that learns beside since the concept changed, the answers on which both
        #: were scored since, and how much less it lost.
        self.background: Pipeline | None = None
        self.compared, self.gained = 0, 0.0
        #: Whether the pipeline is to be written.
        self.changed = True
        #: Of the bytes that were written last.
        self.digest = ""

    def configure(self, spec: ModelSpec) -> bool:
        """Go by another spec; a pipeline of another plan starts afresh. Return whether it did."""
        self.estimator = spec.learning.challengers[self.name].estimator
        anew = _built(spec, self.name).plan != self.pipeline.plan
        if anew:
            self.restart(spec)
        held = self.guards.state()
        self.guards = Guards(spec.learning)
        self.guards.restore(held)
        self.gate.restrict(spec.learning.quota)
        return anew

    def restart(self, spec: ModelSpec) -> None:
        """Forget all that was learned. What serves stays until what is learned anew is as good."""
        self.pipeline, self.changed = _built(spec, self.name), True
        self.contest, self.failed, self.background = None, False, None
        self.answered, self.missed = 0, 0.0
        self.gate.drop()

    def begin_background(self, spec: ModelSpec) -> None:
        """Let a fresh pipeline learn beside; it takes over when it has shown that it is better."""
        self.background, self.compared, self.gained = _built(spec, self.name), 0, 0.0
        self.changed = True

    def say(self, features: Any, said: dict[str, Said]) -> None:
        """Put its answers to an event under its name: a class, a number; None for no answer."""
        said[self.name] = _said(self.pipeline, features)
        if self.background is not None:
            said[background(self.name)] = _said(self.background, features)
        if self.gate.contender is not None:
            said[self._on_trial] = _said(self.gate.contender, features)

    @property
    def _on_trial(self) -> str:
        # By the trial: what one before it said is no answer of this one.
        return f"{self.name}\0{self.gate.number}"

    def judged(
        self, said: Mapping[str, Said], truth: str | float, answers: Answers, *, by: str, at: float
    ) -> None:
        """Let a label judge the copy on trial, if it answered the event, and what serves."""
        served, newer = (answers.lost(said.get(one), truth) for one in (SERVED, self._on_trial))
        if served is not None and newer is not None and (bound := answers.bound):
            self.gate.judge(by, min(served / bound, 1.0), min(newer / bound, 1.0), at)

    def learn(self, example: Example, *, at: float) -> str:
        """Learn, if the guards let it; return why not, empty where it did."""
        reason = self.guards.learn(self.pipeline, example, at=at)
        if not reason and self.background is not None:
            self.background.learn(example.features, example.truth, example.weight)
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

    def beside(self, said: Mapping[str, Said], truth: str | float, answers: Answers) -> None:
        """Hold its answer to an event against that of the one that learns beside it.

        In the order of lessons: the one that takes over answers from the next event on, and which
        that is must not depend on when rows are released.
        """
        own = answers.lost(said.get(self.name), truth)
        other = answers.lost(said.get(background(self.name)), truth)
        if own is None or other is None or self.background is None:
            return
        self.compared += 1
        self.gained += own - other
        if self.compared >= ENOUGH:
            if self.gained > 0:
                self.pipeline = self.background
            self.background, self.changed = None, True

    @property
    def unfit(self) -> str:
        """Why its newest snapshot may not replace the one that serves; empty if it may."""
        return self.pipeline.broken or self.gate.lost

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
            self.compared,
            self.gained,
            self.gate.state(),
        ]

    def pipeline_bytes(self) -> bytes:
        """What it has learned; the same log gives the same bytes."""
        content = canonical_bytes(self.pipeline.state())
        self.digest, self.changed = blake2b(content, digest_size=16).hexdigest(), False
        return content

    def background_bytes(self) -> bytes | None:
        """What the one beside has learned; None where there is none."""
        return canonical_bytes(self.background.state()) if self.background is not None else None

    def restore(
        self,
        state: list[Any],
        pipeline: bytes,
        beside: bytes | None,
        gate: list[bytes] | None,
    ) -> None:
        """Become what ``state`` and bytes described. The bytes must have been authenticated."""
        _, guards, contest, self.answered, self.missed, self.failed = state[:6]
        self.compared, self.gained = state[6:8]
        self.gate.restore(state[8], gate)
        if beside is not None:
            self.background = Pipeline.from_state(pickle.loads(beside))
        self.guards.restore(guards)
        self.contest = Contest.from_state(contest) if contest is not None else None
        self.pipeline = Pipeline.from_state(pickle.loads(pipeline))
        self.digest = blake2b(pipeline, digest_size=16).hexdigest()
        self.changed = False
