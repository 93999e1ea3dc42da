"""One monitored column: what type it is, which bins it has, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ABSENT, CATEGORY, NULL, NUMBER, VECTOR, Column
from streamgauge.distances.js_rows import JensenShannonRows
from streamgauge.metrics.moments import Moments
from streamgauge.metrics.quality import Quality
from streamgauge.monitor import lint
from streamgauge.monitor.calibration import (
    ENOUGH_BLOCKS,
    LEAST_BLOCKS,
    Blocks,
    merge_rare,
    regroup,
)
from streamgauge.monitor.contents import Placed, SeriesCounts, TargetCounts
from streamgauge.monitor.season import Season
from streamgauge.references.bins import (
    CATEGORY_LENGTH,
    Bins,
    CategoryBins,
    NumericBins,
    bins_from_plain,
    category_bins,
    mid_ranks,
    numeric_bins,
)
from streamgauge.references.profile import TargetReference
from streamgauge.specs.features import FeatureSpec
from streamgauge.specs.scalars import parse_category

#: Values that are kept raw until quantile bins can be drawn.
SAMPLE = 500
#: Values below which a distribution is not judged.
FEWEST = 50
#: Values that decide its type.
VOTES = 20
TargetType = Literal["unknown", "numeric", "categorical", "vector", "text"]
KIND_OF: dict[str, int] = {"numeric": NUMBER, "categorical": CATEGORY, "vector": VECTOR}
TYPE_OF: dict[int, TargetType] = {NUMBER: "numeric", CATEGORY: "categorical", VECTOR: "vector"}


@dataclass(slots=True)
class Learning:
    """A reference in the making: counts of all windows since the bins were drawn."""

    counts: NDArray[np.int64]
    quality: Quality = field(default_factory=Quality)
    moments: Moments | None = None
    since: float | None = None

    def state(self) -> list[Any]:
        moments = self.moments.state() if self.moments is not None else None
        return [self.counts, self.quality.state(), moments, self.since]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        moments = Moments.from_state(state[2]) if state[2] is not None else None
        return cls(state[0], Quality.from_state(state[1]), moments, state[3])


#: Sizes of windows for which merged bins are kept.
MOST_MERGED = 16
#: A learned reference is provisional at first; it settles after so many times the time it took.
SETTLES_AFTER = 7


class Merged(NamedTuple):
    """A reference's bins merged for windows of one size: each bin's group, counts by group."""

    reference: TargetReference
    groups: NDArray[np.intp]
    counts: NDArray[np.int64]
    #: Whether it may lie beside others, see ``JensenShannonRows``.
    fits: bool


class Target:
    """One column of a model. Its stages: unknown → sampling → learning → provisional → settled.

    A profile skips all but the last. The type is that of most of the first values, unless the spec
    says it. A day's reference is better than none and worse than a week's, so it judges softly, and
    is replaced once.
    """

    def __init__(self, name: str, spec: FeatureSpec | None = None) -> None:
        self.name = name
        self.spec = spec or FeatureSpec()
        self.type: TargetType = self.spec.declared_type or "unknown"
        self.bins: Bins | None = None
        self.votes: list[list[Any]] = []
        self.sample: list[Any] = []
        self.learning: Learning | None = None
        self.reference: TargetReference | None = None
        self.blocks = Blocks()
        self.season: Season | None = None
        self.learned_at: float | None = None
        #: Offset of the first event that had it; -1 where it was known before any.
        self.born = -1
        #: What is odd about its values since ever, in words.
        self.notes: list[str] = []
        #: Row of the column placed last with which it turned out to be text; -1 where it did not.
        self.turned = -1
        self._ranks: NDArray[np.float64] | None = None
        self._merged: dict[int, Merged] = {}

    def use(self, reference: TargetReference) -> None:
        """Compare with this reference from now on."""
        # The blocks' fit is all that is needed of them; the state stays small.
        self.blocks = Blocks.of(reference.blocks)
        self.reference = replace(reference, blocks=reference.blocks[:0])
        self.bins, self.sample, self.learning, self._ranks = reference.bins, [], None, None
        self.season = Season(reference.counts)
        if self.type != "vector":
            self.type = reference.type

    @property
    def has_windows(self) -> bool:
        """Whether a window of it was learned from."""
        if self.reference is not None:
            return True
        return self.learning is not None and self.learning.since is not None

    @property
    def uncalibrated(self) -> bool:
        """Whether too few live windows were seen to tell how much they differ by themselves."""
        needed = ENOUGH_BLOCKS if self.learning is None else LEAST_BLOCKS
        return self.blocks.own and self.blocks.count < needed

    @property
    def provisional(self) -> bool:
        """Whether it is judged by a reference that a longer one will replace."""
        return self.reference is not None and self.learning is not None

    def learn(
        self, counts: TargetCounts, *, start: float, end: float, min_events: int, min_seconds: float
    ) -> bool:
        """Take an ordinary window into the reference; freeze it once there is enough.

        ``start`` and ``end`` are the window's, in seconds. True where the slow part of the state
        changed by it.
        """
        if counts.histogram is None or self.bins is None:
            return False
        own = counts.effective
        slow = self.season.learn(own, start=start, end=end) if self.season is not None else False
        slow |= self.blocks.add(own)
        learning = self.learning
        # Few values lie in one merged bin, and such a window never lies apart.
        if self.provisional and counts.n >= FEWEST:
            merged = self.merged(counts.n)
            self.blocks.compare(merged.counts, regroup(own, merged.groups))
        if learning is None:
            if self.blocks.own and self.blocks.full:
                self.blocks.close()
                slow = True
            return slow
        learning.counts = learning.counts + own
        learning.quality.merge(counts.quality)
        if counts.moments is not None:
            if learning.moments is None:
                learning.moments = Moments(shift=counts.moments.shift)
            learning.moments.merge(counts.moments)
        learning.since = start if learning.since is None else learning.since
        enough = int(learning.counts.sum()) >= min_events and self.blocks.count >= LEAST_BLOCKS
        lasted = end - learning.since
        if self.reference is None:
            if not enough or lasted < min_seconds:
                return slow
            self._take_reference(learning, end)
            return True
        if lasted < SETTLES_AFTER * min_seconds:
            return slow
        self._take_reference(learning, end)
        self.blocks.close()
        self.learning = None
        return True

    def _take_reference(self, learning: Learning, end: float) -> None:
        assert self.bins is not None
        moments = learning.moments.get() if learning.moments is not None else {}
        self.reference = TargetReference(
            "categorical" if isinstance(self.bins, CategoryBins) else "numeric",
            self.bins,
            learning.counts,
            learning.quality.get().get("missing", 0.0),
            moments.get("mean"),
            moments.get("std"),
        )
        self.learned_at, self._ranks = end, None
        if self.season is None:
            self.season = Season(learning.counts)

    def accept(self, counts: TargetCounts | None, *, end: float) -> None:
        """Take the present for normal, on purpose: a window's counts are the reference now.

        ``end`` is the window's, in seconds. With nothing to take, it is learned anew.
        """
        if self.bins is None:
            return
        self.learning = Learning(np.zeros(self.bins.size, dtype=np.int64))
        self.blocks, self.reference, self.season = Blocks(), None, None
        if counts is None or counts.histogram is None or not counts.n:
            return
        self.learning.counts = counts.effective.copy()
        self.learning.quality.merge(counts.quality)
        if counts.moments is not None:
            self.learning.moments = Moments(shift=counts.moments.shift)
            self.learning.moments.merge(counts.moments)
        self.learning.since = end
        self._take_reference(self.learning, end)

    def merged(self, n: int) -> Merged:
        """The reference's counts over bins merged for a window of about ``n`` values.

        Kept, because windows of one model are nearly alike. ``n`` is taken to its four leading
        bits, downwards, so that every bin still expects enough.
        """
        assert self.reference is not None
        low = max(n.bit_length() - 4, 0)
        wanted = (n >> low) << low
        known = self._merged.get(wanted)
        if known is None or known.reference is not self.reference:
            groups = merge_rare(self.reference.counts, wanted)
            counts = regroup(self.reference.counts, groups)
            known = Merged(self.reference, groups, counts, JensenShannonRows.fits(counts))
            kept = self._merged if len(self._merged) < MOST_MERGED else {}
            self._merged = kept | {wanted: known}
        return known

    def draw_on(self, bins: Bins, type_: TargetType) -> None:
        """Use fixed bins, so that no sample is needed (the latency's grid)."""
        self.bins, self.type = bins, type_
        self.learning = Learning(np.zeros(bins.size, dtype=np.int64))

    @property
    def shift(self) -> float:
        """Where the moments' sums are taken about; fixed once there are bins."""
        return self.bins.middle if isinstance(self.bins, NumericBins) else 0.0

    @property
    def ranks(self) -> NDArray[np.float64] | None:
        """Mid-rank of each bin in the reference; None while there is none."""
        if self._ranks is None and self.reference is not None:
            self._ranks = mid_ranks(self.reference.counts)
        return self._ranks

    def place(self, column: Column, *, first: int = 0) -> Placed:
        """Find each value's bin, learning type and bins on the way. Rows are in log order."""
        self.turned = -1
        return self._placed(column)._replace(first=first)

    def only_place(self, column: Column) -> Placed:
        """Find each value's bin and learn nothing; −1 for what has none."""
        n = len(column.kind)
        place = np.full(n, -1, dtype=np.intp)
        missing = (column.kind == NULL) | (column.kind == ABSENT)
        values: NDArray[np.float64] | None = None
        if isinstance(self.bins, NumericBins):
            rows, values = np.flatnonzero(column.kind == NUMBER), column.values
            place[rows] = self.bins.place(column.values[rows])
        elif isinstance(self.bins, CategoryBins):
            words = column.categories or [None] * n
            rows = np.flatnonzero(column.kind == CATEGORY)
            place[rows] = self.bins.place([words[i] or "" for i in rows.tolist()])
        return Placed(place, values, missing)

    def _placed(self, column: Column) -> Placed:
        kind = column.kind
        if self._is_plain_text(column):
            return self._place_known(column)
        missing = (kind == NULL) | (kind == ABSENT)
        start = self._vote(column, missing) if self.type == "unknown" else 0
        place = np.full(len(kind), -1, dtype=np.intp)
        if self.type in ("unknown", "text"):
            return Placed(place, None, missing)
        later = np.arange(len(kind)) >= start
        if self.type == "categorical":
            return self._place_words(column, place, missing, later)
        good = (kind == KIND_OF[self.type]) & later
        values = column.values
        wrong = ~good & ~missing & later
        outside = self.outside(values)
        out = good & outside if outside is not None else None
        rows = np.flatnonzero(good)
        if self.bins is None:
            rows = self._sampled(rows, values)
        if isinstance(self.bins, NumericBins) and len(rows):
            place[rows] = self.bins.place(values[rows])
        # Most columns have holes at the worst.
        wrong_type = wrong if wrong.any() else None
        return Placed(place, values, missing, wrong_type, out)

    def _is_plain_text(self, column: Column) -> bool:
        """Whether all of a column are words, and nothing but their bins is to be found."""
        known = isinstance(self.bins, CategoryBins) and self.type == "categorical"
        return known and self.spec.allowed is None and bool((column.kind == CATEGORY).all())

    def _place_known(self, column: Column) -> Placed:
        assert isinstance(self.bins, CategoryBins)
        # All of them are words: nothing in the list is None.
        words: Any = column.categories
        place = self.bins.place(words)
        # Nothing was left over in the reference, so whatever is left over now is new.
        if self.reference is None or self.reference.counts[-1]:
            return Placed(place, None)
        new = place == self.bins.size - 1
        return Placed(place, None, new_category=new, words=words)

    def outside(self, values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Which values are out of the declared range, shape (n,); None where none is."""
        if self.spec.range is None:
            return None
        low, high = self.spec.range
        outside = (values < low) | (values > high)
        return outside if outside.any() else None

    def count(
        self,
        placed: Placed,
        rows: NDArray[np.intp],
        into: SeriesCounts,
        weights: NDArray[np.int64] | None = None,
    ) -> None:
        """Count rows of a placed column into a pane; ``weights`` (rows,) or None for one each."""
        if placed.first:
            later = rows >= placed.first
            rows = rows[later]
            weights = weights[later] if weights is not None else None
        if len(rows):
            bins = self.bins.size if self.bins is not None else None
            into.target(self.name).update(
                placed, rows, bins=bins, shift=self.shift, weights=weights
            )

    def _vote(self, column: Column, missing: NDArray[np.bool_]) -> int:
        """Let the first values decide the type: one "N/A" must not. Return the row behind them."""
        present = np.flatnonzero(~missing)
        taken = present[: VOTES - len(self.votes)]
        words = column.categories or [None] * len(missing)
        self.votes += [
            [int(column.kind[i]), float(column.values[i]), (words[i] or "")[:CATEGORY_LENGTH]]
            for i in taken.tolist()
        ]
        if len(self.votes) < VOTES:
            return len(missing)
        kinds = [kind for kind, _, _ in self.votes]
        most = max(sorted(set(kinds)), key=kinds.count)
        self.type = TYPE_OF[most]
        self.sample = [
            word if most == CATEGORY else value for kind, value, word in self.votes if kind == most
        ]
        self.votes = []
        return int(taken[-1]) + 1

    def _place_words(
        self,
        column: Column,
        place: NDArray[np.intp],
        missing: NDArray[np.bool_],
        later: NDArray[np.bool_],
    ) -> Placed:
        words = _words(column, numbers=self.spec.declared_type == "categorical")
        good = np.fromiter((w is not None for w in words), dtype=np.bool_, count=len(words)) & later
        wrong = ~good & ~missing & later
        new = np.zeros(len(words), dtype=np.bool_)
        rows = np.flatnonzero(good)
        if self.spec.allowed is not None:
            allowed = frozenset(self.spec.allowed)
            new[rows] = [words[i] not in allowed for i in rows]
        if self.bins is None:
            last = rows[: SAMPLE - len(self.sample)][-1:]
            rows = self._sampled(rows, words)
            if self.type == "text":
                # It turned out to be text with this row; what follows is not judged any more.
                wrong[last[0] + 1 :] = new[last[0] + 1 :] = False
                self.turned = int(last[0])
        if isinstance(self.bins, CategoryBins) and len(rows):
            place[rows] = self.bins.place([words[i] or "" for i in rows.tolist()])
            # Nothing was left over in the reference, so whatever is left over now is new.
            if self.spec.allowed is None and self.reference is not None:
                complete = not self.reference.counts[-1]
                new[rows] = complete & (place[rows] == self.bins.size - 1)
        return Placed(place, None, missing, wrong, None, new, words=words)

    def _sampled(self, rows: NDArray[np.intp], values: Any) -> NDArray[np.intp]:
        """Put rows into the sample until it is full; return those that come after."""
        wanted = SAMPLE - len(self.sample)
        taken, rest = rows[:wanted], rows[wanted:]
        words = self.type == "categorical"
        self.sample += [
            values[i][:CATEGORY_LENGTH] if words else float(values[i]) for i in taken.tolist()
        ]
        if len(self.sample) < SAMPLE:
            return rest
        self._draw_bins()
        return rest if self.bins is not None else rest[:0]

    def _draw_bins(self) -> None:
        if self.type == "categorical":
            bins: Bins | None = category_bins(self.sample)
            if bins is None:
                # Free text or an id: it has no distribution worth comparing.
                note = lint.nearly_unique(distinct=len(set(self.sample)), n=len(self.sample))
                self.notes = [note] if note else []
                self.type, self.sample = "text", []
                return
            assert isinstance(bins, CategoryBins)
            places = bins.place(self.sample)
        else:
            values = np.array(self.sample)
            found = (lint.counter(values), lint.enumeration(values))
            self.notes = [note for note in found if note]
            bins = numeric_bins(values)
            places = bins.place(values)
        self.bins, self.sample = bins, []
        counts = np.bincount(places, minlength=bins.size).astype(np.int64)
        self.learning = Learning(counts)

    def state(self) -> list[Any]:
        """The part that changes with every window."""
        learning, season = self.learning, self.season
        return [
            self.type,
            self.bins.plain() if self.bins is not None and self.reference is None else None,
            [self.votes, self.sample],
            learning.state() if learning is not None else None,
            self.reference.plain() if self.reference is not None else None,
            self.blocks.state(),
            season.state() if season is not None else None,
            [self.learned_at, self.born, self.notes],
        ]

    def slow_state(self) -> list[Any] | None:
        """The part that changes by the hour, and is too large to be written at each checkpoint.

        None while there is nothing in it.
        """
        season = self.season
        if season is None and not self.blocks.slow_state():
            return None
        return [self.blocks.slow_state(), season.slow_state() if season is not None else None]

    @classmethod
    def from_state(
        cls, name: str, spec: FeatureSpec, state: list[Any], slow: list[Any] | None
    ) -> Target:
        made = cls(name, spec)
        type_, bins, sample, learning, reference, blocks, season, life = state
        if reference is not None:
            made.reference = TargetReference.from_plain(reference)
            made.bins = made.reference.bins
        elif bins is not None:
            made.bins = bins_from_plain(bins)
        made.type = type_
        made.learned_at, made.born, made.notes = life
        made.votes, made.sample = sample
        made.learning = Learning.from_state(learning) if learning is not None else None
        made.blocks = Blocks.from_state(blocks, slow[0] if slow else [])
        if season is not None and slow and slow[1] is not None:
            made.season = Season.from_state(season, slow[1])
        return made


def _words(column: Column, *, numbers: bool) -> list[str | None]:
    """Categories of a column; numbers too, where the spec says that they are categories."""
    words = column.categories or [None] * len(column.kind)
    if not numbers:
        return words
    values = column.values.tolist()
    return [
        parse_category(values[i]) if kind == NUMBER else words[i]
        for i, kind in enumerate(column.kind.tolist())
    ]
