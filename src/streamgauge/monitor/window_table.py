"""A window's targets side by side: their distances from the long references, in one go."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.distances.js_rows import JensenShannonRows, Measured
from streamgauge.monitor.contents import TargetCounts
from streamgauge.monitor.target import FEWEST, Merged, Target


class Compared(NamedTuple):
    """A target's independent values in a window, and their distance from its reference.

    ``measured`` is None where there are too few, or the reference is an odd one.
    """

    n: int
    measured: Measured | None = None


class _Layout:
    """Merged references and the place of each window's bin among their groups."""

    def __init__(self, merged: list[Merged]) -> None:
        self.merged = merged
        self.rows = JensenShannonRows([each.counts for each in merged])
        self.places = np.concatenate(
            [each.groups + at for each, at in zip(merged, self.rows.starts, strict=True)]
        )


class WindowTable:
    """Measures the windows of one series, of which one is much like the next."""

    __slots__ = ("_layout",)

    def __init__(self) -> None:
        self._layout: _Layout | None = None

    def compare(
        self, pairs: Sequence[tuple[Target, TargetCounts]], *, alpha: float
    ) -> dict[str, Compared]:
        """Compare every target that has a reference, by name; none where there is but one."""
        pairs = [
            pair
            for pair in pairs
            if pair[0].reference is not None and pair[1].histogram is not None
        ]
        if len(pairs) < 2:
            # Alone it is cheaper by a third.
            return {}
        own = _Own.of([counts for _, counts in pairs])
        names = [target.name for target, _ in pairs]
        found: dict[str, Compared] = {}
        wanted: list[int] = []
        merged: list[Merged] = []
        for i, (n, total) in enumerate(zip(own.sizes, own.totals, strict=True)):
            known = pairs[i][0].merged(n) if n >= FEWEST and total else None
            if known is not None and known.fits:
                wanted.append(i)
                merged.append(known)
            else:
                found[names[i]] = Compared(n)
        if not wanted:
            return found
        if found:
            own = own.take(wanted)
        layout = self._layout
        if layout is None or not _same(layout.merged, merged):
            layout = self._layout = _Layout(merged)
        rows = layout.rows
        grouped = np.bincount(layout.places, weights=own.counts, minlength=rows.size)
        measured = rows.measure(grouped.astype(np.int64), own.totals, alpha=alpha)
        for i, n, each in zip(wanted, own.sizes, measured, strict=True):
            found[names[i]] = Compared(n, each)
        return found


class _Own(NamedTuple):
    """Histograms one behind the other, of independent values; their sums, and ``n`` of each."""

    counts: NDArray[np.int64]
    starts: list[int]
    totals: list[int]
    sizes: list[int]

    @classmethod
    def of(cls, windows: Sequence[TargetCounts]) -> _Own:
        counts = [each.histogram.counts for each in windows if each.histogram is not None]
        starts = [0, *accumulate(map(len, counts))]
        flat = np.concatenate(counts)
        totals: list[int] = np.add.reduceat(flat, starts[:-1]).tolist()
        sizes = totals
        if any(total != each.squares for total, each in zip(totals, windows, strict=True)):
            # Where a client samples, its events are fewer than they stand for.
            flat = np.concatenate([each.effective for each in windows])
            totals = np.add.reduceat(flat, starts[:-1]).tolist()
            sizes = [each.n for each in windows]
        return cls(flat, starts, totals, sizes)

    def take(self, rows: Sequence[int]) -> _Own:
        parts = [self.counts[self.starts[row] : self.starts[row + 1]] for row in rows]
        return _Own(
            np.concatenate(parts),
            [0, *accumulate(map(len, parts))],
            [self.totals[row] for row in rows],
            [self.sizes[row] for row in rows],
        )


def _same(known: list[Merged], merged: list[Merged]) -> bool:
    """Whether they are the very same ones: a reference's are kept as long as it is."""
    return len(known) == len(merged) and all(map(operator.is_, known, merged))
