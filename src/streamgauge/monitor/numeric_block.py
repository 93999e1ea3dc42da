"""Numeric columns of one batch counted side by side: the price of a small batch is its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.histogram import Histogram, weighted_bincount
from streamgauge.metrics.moments import LARGEST, Moments
from streamgauge.metrics.sentinels import LEAST, Sentinels
from streamgauge.monitor.contents import Placed, SeriesCounts, TargetCounts
from streamgauge.monitor.target import Target
from streamgauge.references.bins import NumericBins

#: Columns that are counted at once: more would not stay in the processor's cache.
MOST_COLUMNS = 64


def count_columns(
    targets: Mapping[str, Target],
    placed: Mapping[str, Placed],
    rows: NDArray[np.intp],
    into: SeriesCounts,
    weights: NDArray[np.int64] | None,
) -> None:
    """Count rows of placed columns into a pane: numbers side by side, all else one by one."""
    numbers: list[tuple[TargetCounts, Placed, NumericBins]] = []
    for name, column in placed.items():
        bins = targets[name].bins
        if isinstance(bins, NumericBins) and _is_countable(column):
            numbers.append((into.target(name), column, bins))
        else:
            targets[name].count(column, rows, into, weights)
    for start in range(0, len(numbers), MOST_COLUMNS):
        count_block(numbers[start : start + MOST_COLUMNS], rows, weights)


def _is_countable(placed: Placed) -> bool:
    """Whether a column holds numbers and holes only."""
    flags = (placed.wrong_type, placed.out_of_range, placed.new_category)
    plain = all(each is None for each in flags)
    return plain and placed.values is not None and not placed.first


def count_block(
    columns: Sequence[tuple[TargetCounts, Placed, NumericBins]],
    rows: NDArray[np.intp],
    weights: NDArray[np.int64] | None,
) -> None:
    """Count rows of many columns, as ``TargetCounts.update`` counts each of them.

    ``weights`` (rows,) say how many events each row stands for; None for one each. The sums are
    taken in the same order, so that the results are equal to the last bit.
    """
    place = _rows_of([placed.place for _, placed, _ in columns], rows)
    values = _rows_of([placed.values for _, placed, _ in columns], rows)
    holes: NDArray[np.bool_] = place < 0
    whole = not holes.any()
    if not whole:
        values = np.where(holes, np.nan, values)
    smallest, largest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    shifts = np.array([bins.middle for _, _, bins in columns])
    distances = values - shifts[:, None]
    if not whole:
        distances[holes] = 0.0
    if max(np.fmax.reduce(largest - shifts), np.fmax.reduce(shifts - smallest)) > LARGEST:
        distances = np.clip(distances, -LARGEST, LARGEST)
    weighted: NDArray[np.float64] = distances if weights is None else distances * weights
    known = [counts.moments for counts, _, _ in columns]
    totals = _carried([m.total if m is not None else 0.0 for m in known], weighted)
    squares = _carried([m.squares if m is not None else 0.0 for m in known], weighted * distances)
    sizes = [bins.size for _, _, bins in columns]
    # Holes go into one more bin behind all others.
    starts = np.cumsum([0, *sizes])
    cells = place + starts[:-1, None]
    if not whole:
        cells[holes] = starts[-1]
    each = np.tile(weights, len(columns)) if weights is not None else None
    table = weighted_bincount(cells.ravel(), each, minlength=int(starts[-1]) + 1)
    far = (np.maximum(-smallest, largest) >= LEAST).tolist()
    if weights is None:
        seen = len(rows)
        counted = worth = (seen - np.count_nonzero(holes, axis=1)).tolist()
    else:
        seen = int(weights.sum())
        squared = weights * weights
        counted, worth = ((~holes * each).sum(axis=1).tolist() for each in (weights, squared))
    for i, (counts, placed, bins) in enumerate(columns):
        counts.events += len(rows)
        counts.quality.update(seen, missing=_missing(placed, rows, weights))
        if not counted[i]:
            continue
        if counts.histogram is None:
            counts.histogram = Histogram(bins=bins.size)
        counts.histogram.counts += table[starts[i] : starts[i + 1]]
        counts.squares += worth[i]
        moments = counts.moments
        if moments is None:
            moments = counts.moments = Moments(shift=bins.middle)
        moments.n += counted[i]
        moments.total, moments.squares = totals[i], squares[i]
        # Plus 0.0 makes one of the two zeros: which comes first must not show.
        moments.smallest = min(moments.smallest, float(smallest[i]) + 0.0)
        moments.largest = max(moments.largest, float(largest[i]) + 0.0)
        if counts.sentinels is None:
            counts.sentinels = Sentinels()
        if far[i]:
            found = np.flatnonzero(~holes[i])
            share = weights[found] if weights is not None else None
            counts.sentinels.update(values[i][found], share)
        else:
            counts.sentinels.n += counted[i]


def _rows_of(columns: Sequence[Any], rows: NDArray[np.intp]) -> Any:
    """Rows of columns as a table, one column in each of its rows."""
    table = np.array(columns)
    return table if len(rows) == table.shape[1] else table[:, rows]


def _missing(placed: Placed, rows: NDArray[np.intp], weights: NDArray[np.int64] | None) -> int:
    if placed.missing is None:
        return 0
    gone = placed.missing[rows]
    return int(np.count_nonzero(gone)) if weights is None else int(weights[gone].sum())


def _carried(starts: Sequence[float], terms: NDArray[np.float64]) -> list[float]:
    """Sums in order from their starts, of each row: see ``Moments``."""
    first = np.array(starts)[:, None]
    sums: list[float] = np.add.accumulate(np.hstack((first, terms)), axis=1)[:, -1].tolist()
    return sums
