"""What stands between a label and the model: whether an example is learned now, later or never.

Clipping is the pipeline's (``scaling``), because it needs the inputs' statistics; the bound on a
linear model's step is ``step_limit``'s, because it needs the weights.
"""

from __future__ import annotations

from typing import Any

from streamgauge.learning.hold import Example, Hold
from streamgauge.learning.quota import Quota
from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.specs.learning import LearningSpec

#: Why an example was not learned, as it is counted.
REASONS = (
    "not_allowed",  # the spec's `learning.allowed` is false
    "frozen",  # within a frozen period of the spec
    "data_quality",  # an alarm on the inputs was open, and the policy is to discard
    "hold_full",  # too many waited already
    "quota_source",  # its source taught its share
    "quota_annotator",  # its annotator did
    "invalid",  # no truth that can be learned
    "halted",  # the model is broken or was stopped
)
#: Examples learned between two looks at a model's size: a look pickles all of it.
LOOK_EVERY = 1000


class Guards:
    """Guards of one pipeline, by the spec. Times are log times, in seconds since 1970.

    Parameters
    ----------
    spec
        The model's section ``learning``.

    Examples
    --------
    >>> from streamgauge.pipelines.pipeline import Pipeline, Plan
    >>> pipeline = Pipeline(Plan(estimator="linear_regression", task="regression"))
    >>> guards = Guards(LearningSpec.model_validate({"quality_policy": "discard"}))
    >>> guards.learn(pipeline, Example({"x": 1.0}, 2.0), at=0.0)
    ''
    >>> _ = guards.quality_alarm(pipeline, True, at=1.0)
    >>> guards.learn(pipeline, Example({"x": 1.0}, 2.0), at=2.0)
    'data_quality'
    """

    def __init__(self, spec: LearningSpec) -> None:
        self._spec = spec
        self.hold = Hold(spec.quality_policy)
        self._sources, self._annotators = Quota(spec.quota), Quota(spec.quota)
        self._until_look = LOOK_EVERY
        #: Examples not learned, by reason. Those that wait are in none of them yet.
        self.refused: dict[str, int] = {}
        #: The model's size in bytes when it was last looked at.
        self.bytes = 0

    def learn(self, pipeline: Pipeline, example: Example, *, at: float) -> str:
        """Let the pipeline learn an example, if it may; return why not, empty where it did.

        ``held`` means that it waits for the alarm to close.
        """
        reason = self._closed(pipeline, at)
        if not reason and self.hold.open:
            reason = self.hold.keep(example)
            if reason == "held":
                return reason
        return self._count(reason or self._taught(pipeline, example))

    def quality_alarm(self, pipeline: Pipeline, is_open: bool, *, at: float) -> int:
        """A data-quality alarm on the inputs opened or closed; return how many were learned.

        When it closes, what waited is learned in order, by the rules that hold at that time.
        """
        if is_open:
            self.hold.open = True
            return 0
        learned = 0
        for example in self.hold.close():
            reason = self._closed(pipeline, at) or self._taught(pipeline, example)
            learned += not self._count(reason)
        return learned

    def discard_held(self) -> int:
        """Give up what waits, whatever the policy; return how many."""
        dropped = self.hold.drop()
        if dropped:
            self.refused["data_quality"] = self.refused.get("data_quality", 0) + dropped
        return dropped

    def frozen(self, at: float) -> str:
        """Why nothing is learned at a time by the spec; empty where there is no reason."""
        if not self._spec.allowed:
            return "not_allowed"
        return "frozen" if any(period.holds(at) for period in self._spec.frozen) else ""

    def _closed(self, pipeline: Pipeline, at: float) -> str:
        return self.frozen(at) or ("halted" if pipeline.halted else "")

    def _taught(self, pipeline: Pipeline, example: Example) -> str:
        # Labels that name nobody are one source, yet no annotator.
        if not self._sources.admits(example.source):
            return "quota_source"
        if example.annotator and not self._annotators.admits(example.annotator):
            return "quota_annotator"
        if pipeline.learn(example.features, example.truth, example.weight):
            return "halted" if pipeline.halted else "invalid"
        self._until_look -= 1
        if self._until_look <= 0:
            self._look(pipeline)
        return ""

    def _look(self, pipeline: Pipeline) -> None:
        self._until_look = LOOK_EVERY
        self.bytes, most = pipeline.size(), self._spec.max_bytes
        if self.bytes > most:
            pipeline.stop(
                f"the model has {self.bytes:,} bytes, more than learning.max_bytes ({most:,}); "
                "raise it, or choose a smaller estimator"
            )

    def _count(self, reason: str) -> str:
        if reason:
            self.refused[reason] = self.refused.get(reason, 0) + 1
        return reason

    def state(self) -> list[Any]:
        """Plain values."""
        return [
            self.hold.state(),
            self._sources.state(),
            self._annotators.state(),
            self._until_look,
            dict(self.refused),
            self.bytes,
        ]

    def restore(self, state: list[Any]) -> None:
        """Become what ``state`` described. The spec may be another."""
        hold, sources, annotators, self._until_look, refused, self.bytes = state
        self.hold.restore(hold)
        self._sources.restore(sources)
        self._annotators.restore(annotators)
        self.refused = dict(refused)
