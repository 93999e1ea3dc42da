"""What a pane holds: the counts of one feature, and of one series."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.histogram import Histogram
from streamgauge.metrics.moments import Moments
from streamgauge.metrics.quality import Quality
from streamgauge.metrics.traffic import Traffic


class Placed(NamedTuple):
    """A column after its target looked at it, one entry an event.

    ``place`` is the value's bin, −1 where there is none (missing, wrong, or no bins yet);
    ``values`` are the numbers behind it, None for categories.
    """

    place: NDArray[np.intp]
    values: NDArray[np.float64] | None
    missing: NDArray[np.bool_]
    wrong_type: NDArray[np.bool_]
    out_of_range: NDArray[np.bool_]
    new_category: NDArray[np.bool_]
    #: The first row that counts; the feature was unknown before it.
    first: int = 0


class TargetCounts:
    """One feature (or output) over a span: what is wrong with it, and how it is distributed.

    The histogram appears with the bins, so an early pane may have none.
    """

    __slots__ = ("histogram", "moments", "quality")

    def __init__(self) -> None:
        self.quality = Quality()
        self.histogram: Histogram | None = None
        self.moments: Moments | None = None

    @property
    def n(self) -> int:
        """Values that were counted into bins."""
        return self.histogram.n if self.histogram is not None else 0

    def update(
        self, placed: Placed, rows: NDArray[np.intp], *, bins: int | None, shift: float
    ) -> None:
        """Take the rows of a placed column; ``bins`` is None while there are none."""
        self.quality.update(
            len(rows),
            missing=int(placed.missing[rows].sum()),
            wrong_type=int(placed.wrong_type[rows].sum()),
            out_of_range=int(placed.out_of_range[rows].sum()),
            new_category=int(placed.new_category[rows].sum()),
        )
        if bins is None:
            return
        place = placed.place[rows]
        counted = place >= 0
        if not counted.any():
            return
        if self.histogram is None:
            self.histogram = Histogram(bins=bins)
        self.histogram.update(place[counted])
        if placed.values is not None:
            if self.moments is None:
                self.moments = Moments(shift=shift)
            self.moments.update(placed.values[rows][counted])

    def merge(self, other: TargetCounts) -> None:
        self.quality.merge(other.quality)
        if other.histogram is not None:
            if self.histogram is None:
                self.histogram = Histogram(bins=len(other.histogram.counts))
            self.histogram.merge(other.histogram)
        if other.moments is not None:
            if self.moments is None:
                self.moments = Moments(shift=other.moments.shift)
            self.moments.merge(other.moments)

    def state(self) -> list[Any]:
        return [
            self.quality.state(),
            self.histogram.state() if self.histogram is not None else None,
            self.moments.state() if self.moments is not None else None,
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.quality = Quality.from_state(state[0])
        made.histogram = Histogram.from_state(state[1]) if state[1] is not None else None
        made.moments = Moments.from_state(state[2]) if state[2] is not None else None
        return made


class SeriesCounts:
    """One (version, step) over a span: its traffic, and its targets by name."""

    __slots__ = ("first_offset", "last_offset", "targets", "traffic")

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.targets: dict[str, TargetCounts] = {}
        self.first_offset = -1
        self.last_offset = -1

    @property
    def n(self) -> int:
        return self.traffic.n

    def target(self, name: str) -> TargetCounts:
        found = self.targets.get(name)
        if found is None:
            found = self.targets[name] = TargetCounts()
        return found

    def reach(self, first: int, last: int) -> None:
        """Note where in the log the span lies."""
        if self.first_offset < 0 or 0 <= first < self.first_offset:
            self.first_offset = first
        self.last_offset = max(self.last_offset, last)

    def merge(self, other: SeriesCounts) -> None:
        self.traffic.merge(other.traffic)
        for name, counts in other.targets.items():
            self.target(name).merge(counts)
        self.reach(other.first_offset, other.last_offset)

    def state(self) -> list[Any]:
        targets = {name: self.targets[name].state() for name in sorted(self.targets)}
        return [self.traffic.state(), targets, self.first_offset, self.last_offset]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.traffic = Traffic.from_state(state[0])
        made.targets = {name: TargetCounts.from_state(each) for name, each in state[1].items()}
        made.first_offset, made.last_offset = state[2], state[3]
        return made
