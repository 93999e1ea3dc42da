"""Declared segments: counts by their values, and which of them a change shows in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, rel_entr

from streamgauge.batch.columns import ERROR
from streamgauge.metrics.histogram import weighted_bincount
from streamgauge.monitor.judge import EFFECT_FLOOR
from streamgauge.monitor.slice_counts import SliceCounts
from streamgauge.monitor.slice_layout import SliceLayout
from streamgauge.specs.watching import SegmentSpec
from streamgauge.state.views import SliceView

OTHER = "_other"
#: Slices that are judged and shown of a segment, the largest, and events that one must have.
MOST_SHOWN = 10
ENOUGH = 500
#: Events behind a slice's own reference, and the most of them: older ones fade.
LEARNED, MOST_LEARNED = 1_000, 1_000_000

Counts = NDArray[np.int64]


class Slices:
    """The segments of one series: their values in the order in which they came, and what is usual.

    A slice is compared with its own past, not with the whole: countries differ by nature.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[str, int]] = {}
        self._usual: dict[str, SliceCounts] = {}

    def codes(
        self, declared: Mapping[str, SegmentSpec], segments: Sequence[Mapping[str, str]]
    ) -> dict[str, NDArray[np.intp]]:
        """Slice of each event by segment, shape (n,), −1 where the event has none."""
        found = {}
        for name, spec in declared.items():
            values = self._values.setdefault(name, {})
            codes = [values.get(each[name], -2) if name in each else -1 for each in segments]
            if -2 in codes:
                for row, code in enumerate(codes):
                    if code == -2:
                        codes[row] = _place(values, segments[row][name], spec.max_values)
            found[name] = np.array(codes, dtype=np.intp)
        return found

    def count(
        self,
        into: dict[str, SliceCounts],
        codes: Mapping[str, NDArray[np.intp]],
        statuses: NDArray[np.int8],
        weights: NDArray[np.int64] | None,
        places: NDArray[np.intp],
        layout: SliceLayout,
    ) -> None:
        """Count events into a pane.

        ``places`` (targets, events) are the bins of the layout's targets, −1 for none.
        """
        columns, width = layout.columns(places), layout.width + 1
        for segment, code in codes.items():
            kept, weight, own = columns, weights, statuses
            if code.min() < 0:
                inside = np.flatnonzero(code >= 0)
                if not len(inside):
                    continue
                code, kept, own = code[inside], columns[:, inside], statuses[inside]
                weight = weights[inside] if weights is not None else None
            # As many as these events need: values that come later in the batch are not here yet.
            size = int(code.max()) + 1
            made = SliceCounts()
            made.events = np.bincount(code, minlength=size).reshape(size, 1)
            made.statuses = weighted_bincount(code * 3 + own, weight, minlength=3 * size)
            made.statuses = made.statuses.reshape(size, 3)
            if layout.names:
                cells = (kept + code * width).ravel()
                each = np.tile(weight, len(kept)) if weight is not None else None
                table = weighted_bincount(cells, each, minlength=size * width)
                made.names, made.widths = layout.names, layout.widths
                made.table = table.reshape(size, width)[:, :-1]
            if segment in into:
                into[segment].merge(made)
            else:
                into[segment] = made

    def learn(self, window: Mapping[str, SliceCounts]) -> None:
        """Take an ordinary window into what is usual."""
        for segment, counts in window.items():
            usual = self._usual.setdefault(segment, SliceCounts())
            usual.merge(counts)
            usual.fade(MOST_LEARNED)

    def judge(self, window: Mapping[str, SliceCounts], *, alpha: float) -> list[SliceView]:
        """The largest slices of a window, each with what moved most in it, the worst first."""
        found = [
            self._of_slice(segment, value, index, counts, alpha)
            for segment, counts in window.items()
            for value, index in self._largest(segment, counts)
        ]
        return sorted(found, key=lambda view: (-(view.severity or 0.0), view.segment, view.value))

    def _largest(self, segment: str, counts: SliceCounts) -> list[tuple[str, int]]:
        names = list(self._values.get(segment, {}))
        sizes = counts.statuses.sum(axis=1)
        ranked = sorted(range(len(sizes)), key=lambda index: (-int(sizes[index]), index))
        return [(names[index], index) for index in ranked[:MOST_SHOWN] if sizes[index]]

    def _of_slice(
        self, segment: str, value: str, index: int, counts: SliceCounts, alpha: float
    ) -> SliceView:
        statuses = counts.statuses[index]
        n = int(statuses.sum())
        severity, feature = None, None
        usual = self._usual.get(segment)
        seen = int(counts.events[index, 0])
        if usual is not None and seen >= ENOUGH:
            known = usual.histograms
            for name, histograms in counts.histograms.items():
                before = known.get(name)
                if before is None or index >= min(len(before), len(histograms)):
                    continue
                if before.shape[1] != histograms.shape[1]:
                    continue
                shares = usual.seen_of(index), counts.seen_of(index)
                own = _severity(before[index], histograms[index], alpha, shares)
                if own is not None and (severity is None or own > severity):
                    severity, feature = own, name
        return SliceView(
            segment=segment,
            value=value,
            n=n,
            error_ratio=int(statuses[ERROR]) / n if n else None,
            severity=severity,
            feature=feature,
        )

    def state(self) -> list[Any]:
        usual = {segment: self._usual[segment].state() for segment in sorted(self._usual)}
        return [{segment: list(values) for segment, values in self._values.items()}, usual]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._values = {
            segment: {value: index for index, value in enumerate(values)}
            for segment, values in state[0].items()
        }
        made._usual = {segment: SliceCounts.from_state(each) for segment, each in state[1].items()}
        return made


def _place(values: dict[str, int], value: str, most: int) -> int:
    found = values.get(value)
    if found is not None:
        return found
    if len(values) >= most:
        value = OTHER
    return values.setdefault(value, len(values))


def _severity(
    before: Counts, after: Counts, alpha: float, seen: tuple[float, float]
) -> float | None:
    """Jensen-Shannon distance ÷ threshold of one slice; None where either side is too small.

    ``seen`` are the shares of both sides that were seen and not made up for by weights.
    """
    n, m = int(before.sum() * seen[0]), int(after.sum() * seen[1])
    if n < LEARNED or m < ENOUGH // 2:
        return None
    p, q = before / before.sum(), after / after.sum()
    middle = (p + q) / 2
    divergence = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * math.log(2))
    freedom = max(int(np.count_nonzero(before + after)) - 1, 1)
    chance = math.sqrt(float(chdtri(freedom, alpha)) * (1 / n + 1 / m) / (8 * math.log(2)))
    return math.sqrt(max(divergence, 0.0)) / max(chance, EFFECT_FLOOR)
