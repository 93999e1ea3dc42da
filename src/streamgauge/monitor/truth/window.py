"""A window of released predictions, and its slices, in prediction order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamgauge.labels.names import NONE
from streamgauge.metrics.error_tags import ErrorTags
from streamgauge.monitor.truth.performance import Performance

#: A slice: a declared segment field and one of its values.
Slice = tuple[str, str]


@dataclass(slots=True)
class TruthWindow:
    """What was released since the last window closed. Times are those of predictions, in seconds.

    ``errors`` of ``judged`` rows are what concept drift is judged by. ``settled`` says whether all
    its labels are in, or will never be.
    """

    start: float | None = None
    end: float = 0.0
    rows: int = 0
    first_offset: int = NONE
    last_offset: int = NONE
    errors: int = 0
    judged: int = 0
    #: Figures of trivial answers to the same predictions.
    trivial: dict[str, float] = field(default_factory=dict)
    whole: Performance = field(default_factory=Performance)
    slices: dict[Slice, Performance] = field(default_factory=dict)
    tags: ErrorTags = field(default_factory=ErrorTags)

    def slice(self, of: Slice) -> Performance:
        known = self.slices.get(of)
        if known is None:
            known = self.slices[of] = Performance()
        return known

    def figures(self, task: Any) -> Mapping[str, float]:
        return self.whole.get(task)

    def state(self) -> list[Any]:
        return [
            self.start,
            self.end,
            self.rows,
            self.first_offset,
            self.last_offset,
            self.errors,
            self.judged,
            dict(sorted(self.trivial.items())),
            self.whole.state(),
            [[*of, each.state()] for of, each in sorted(self.slices.items())],
            self.tags.state(),
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> TruthWindow:
        made = cls(*state[:8])
        whole, slices, tags = state[8:]
        made.whole = Performance.from_state(whole)
        made.slices = {(name, value): Performance.from_state(each) for name, value, each in slices}
        made.tags = ErrorTags.from_state(tags)
        return made
