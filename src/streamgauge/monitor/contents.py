"""What a pane holds: the counts of one feature, and of one series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.duplicates import Duplicates
from streamgauge.metrics.heavy_hitters import HeavyHitters
from streamgauge.metrics.histogram import Histogram
from streamgauge.metrics.moments import Moments
from streamgauge.metrics.quality import Quality
from streamgauge.metrics.rule_counts import RuleCounts
from streamgauge.metrics.sentinels import Sentinels
from streamgauge.metrics.skew import Skew
from streamgauge.metrics.traffic import Traffic
from streamgauge.monitor.slice_counts import SliceCounts

Flags = NDArray[np.bool_]


class Placed(NamedTuple):
    """A column after its target looked at it, one entry an event.

    ``place`` is the value's bin, −1 where there is none (missing, wrong, or no bins yet);
    ``values`` are the numbers behind it, None for categories. Flags are None where none is set:
    most columns have no fault, and a model's price for a small batch is that of the calls.
    """

    place: NDArray[np.intp]
    values: NDArray[np.float64] | None
    missing: Flags | None = None
    wrong_type: Flags | None = None
    out_of_range: Flags | None = None
    new_category: Flags | None = None
    #: The first row that counts; the feature was unknown before it.
    first: int = 0
    #: The words of a category, where new ones are to be named.
    words: Sequence[str | None] | None = None


class TargetCounts:
    """One feature (or output) over a span: what is wrong with it, and how it is distributed.

    The histogram appears with the bins, so an early pane may have none. Where a client samples,
    counts are of all the events that the sample stands for; ``events`` counts what was seen, and
    ``squares`` sums the squared weights behind the histogram.
    """

    __slots__ = ("events", "histogram", "moments", "new_words", "quality", "sentinels", "squares")

    def __init__(self) -> None:
        self.quality = Quality()
        self.events = self.squares = 0
        self.histogram: Histogram | None = None
        self.moments: Moments | None = None
        #: Codes that may stand for missing values, and categories that the reference lacks.
        self.sentinels: Sentinels | None = None
        self.new_words: HeavyHitters | None = None

    @property
    def n(self) -> int:
        """Independent values behind the histogram: fewer than counted, where weights differ."""
        if self.histogram is None or not self.squares:
            return 0
        return self._independent(self.histogram.n)

    def _independent(self, total: int) -> int:
        return total if total == self.squares else max(total * total // self.squares, 1)

    @property
    def effective(self) -> NDArray[np.int64]:
        """Counts per bin as of ``n`` independent values (Kish 1965, the effective sample size)."""
        assert self.histogram is not None
        total = self.histogram.n
        if total == self.squares:
            return self.histogram.counts
        share = self._independent(total) / total
        scaled: NDArray[np.int64] = np.rint(self.histogram.counts * share).astype(np.int64)
        return scaled

    def update(
        self,
        placed: Placed,
        rows: NDArray[np.intp],
        *,
        bins: int | None,
        shift: float,
        weights: NDArray[np.int64] | None = None,
    ) -> None:
        """Take the rows of a placed column; ``bins`` is None while there are none.

        ``weights`` (rows,) say how many events each row stands for; None for one each.
        """
        self.events += len(rows)
        self.quality.update(
            len(rows) if weights is None else int(weights.sum()),
            missing=_total(placed.missing, rows, weights),
            wrong_type=_total(placed.wrong_type, rows, weights),
            out_of_range=_total(placed.out_of_range, rows, weights),
            new_category=_total(placed.new_category, rows, weights),
        )
        if placed.words is not None and placed.new_category is not None:
            self._name_new(placed.words, rows[placed.new_category[rows]])
        if bins is None:
            return
        place = placed.place[rows]
        if place.min() < 0:
            counted = place >= 0
            rows, place = rows[counted], place[counted]
            weights = weights[counted] if weights is not None else None
            if not len(rows):
                return
        if self.histogram is None:
            self.histogram = Histogram(bins=bins)
        self.histogram.update(place, weights)
        self.squares += len(rows) if weights is None else int((weights * weights).sum())
        if placed.values is not None:
            if self.moments is None:
                self.moments = Moments(shift=shift)
            values = placed.values[rows]
            self.moments.update(values, weights)
            if self.sentinels is None:
                self.sentinels = Sentinels()
            self.sentinels.update(values, weights)

    def _name_new(self, words: Sequence[str | None], rows: NDArray[np.intp]) -> None:
        if len(rows):
            if self.new_words is None:
                self.new_words = HeavyHitters()
            self.new_words.update([words[row] for row in rows.tolist()])

    def merge(self, other: TargetCounts) -> None:
        self.quality.merge(other.quality)
        self.events += other.events
        self.squares += other.squares
        if other.histogram is not None:
            if self.histogram is None:
                self.histogram = Histogram(bins=len(other.histogram.counts))
            self.histogram.merge(other.histogram)
        if other.moments is not None:
            if self.moments is None:
                self.moments = Moments(shift=other.moments.shift)
            self.moments.merge(other.moments)
        if other.sentinels is not None:
            self.sentinels = self.sentinels or Sentinels()
            self.sentinels.merge(other.sentinels)
        if other.new_words is not None:
            self.new_words = self.new_words or HeavyHitters()
            self.new_words.merge(other.new_words)

    def state(self) -> list[Any]:
        return [
            self.quality.state(),
            self.histogram.state() if self.histogram is not None else None,
            self.moments.state() if self.moments is not None else None,
            self.events,
            self.squares,
            self.sentinels.state() if self.sentinels is not None else None,
            self.new_words.state() if self.new_words is not None else None,
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.quality = Quality.from_state(state[0])
        made.histogram = Histogram.from_state(state[1]) if state[1] is not None else None
        made.moments = Moments.from_state(state[2]) if state[2] is not None else None
        made.events, made.squares = state[3], state[4]
        made.sentinels = Sentinels.from_state(state[5]) if state[5] is not None else None
        made.new_words = HeavyHitters.from_state(state[6]) if state[6] is not None else None
        return made


def _total(flags: Flags | None, rows: NDArray[np.intp], weights: NDArray[np.int64] | None) -> int:
    if flags is None:
        return 0
    inside = flags[rows]
    return int(np.count_nonzero(inside)) if weights is None else int(weights[inside].sum())


class SeriesCounts:
    """One (version, step) over a span: its traffic, and its targets by name.

    ``beside`` holds outputs in the bins of another version, ``slices`` counts by declared segment.
    """

    __slots__ = (
        "beside",
        "duplicates",
        "first_offset",
        "last_offset",
        "rules",
        "skew",
        "slices",
        "targets",
        "traffic",
    )

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.targets: dict[str, TargetCounts] = {}
        self.beside: dict[str, TargetCounts] = {}
        self.slices: dict[str, SliceCounts] = {}
        self.rules = RuleCounts()
        self.duplicates = Duplicates()
        self.skew = Skew()
        self.first_offset = -1
        self.last_offset = -1

    @property
    def n(self) -> int:
        """Events that were seen; fewer than they stand for, where a client samples."""
        return self.traffic.events

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
        for name, counts in other.beside.items():
            self.beside.setdefault(name, TargetCounts()).merge(counts)
        for segment, each in other.slices.items():
            self.slices.setdefault(segment, SliceCounts()).merge(each)
        self.rules.merge(other.rules)
        self.duplicates.merge(other.duplicates)
        self.skew.merge(other.skew)
        self.reach(other.first_offset, other.last_offset)

    def state(self) -> list[Any]:
        return [
            self.traffic.state(),
            {name: self.targets[name].state() for name in sorted(self.targets)},
            self.first_offset,
            self.last_offset,
            {name: self.beside[name].state() for name in sorted(self.beside)},
            {segment: self.slices[segment].state() for segment in sorted(self.slices)},
            self.rules.state(),
            self.duplicates.state(),
            self.skew.state(),
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        traffic, targets, first, last, beside, slices, rules, duplicates, skew = state
        made.traffic = Traffic.from_state(traffic)
        made.targets = {name: TargetCounts.from_state(each) for name, each in targets.items()}
        made.first_offset, made.last_offset = first, last
        made.beside = {name: TargetCounts.from_state(each) for name, each in beside.items()}
        made.slices = {segment: SliceCounts.from_state(each) for segment, each in slices.items()}
        made.rules = RuleCounts.from_state(rules)
        made.duplicates = Duplicates.from_state(duplicates)
        made.skew = Skew.from_state(skew)
        return made
