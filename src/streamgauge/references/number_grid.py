"""Bins of many numeric features side by side: a table of values finds its places at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from operator import is_

import numpy as np
from numpy.typing import NDArray

from streamgauge.references.bins import NumericBins

#: Equal parts of a feature's range.
CELLS = 512
#: Stands for a cell of which the edges must be searched.
_CROWDED = -1

Floats = NDArray[np.float64]


class NumberGrid:
    """Finds bins by cells: a search takes a branch at each step, and costs four times as much.

    The range of each feature is cut into equal cells. The cell of a value is known from it by
    arithmetic that keeps order, and the cell tells how many edges lie before it; so one comparison,
    with the next edge, is left. Cells of several edges are searched: in the tails, where few
    values are, and where values are alike.

    Parameters
    ----------
    bins
        One for each row of the tables to come.

    Examples
    --------
    >>> wide, narrow = np.array([0.0, 1.0]), np.array([5.0])
    >>> grid = NumberGrid([NumericBins(wide, 1.0), NumericBins(narrow, 1.0)])
    >>> grid.place(np.array([[0.0, 0.5, 2.0], [4.0, 5.0, 6.0]])).tolist()
    [[0, 1, 2], [0, 0, 1]]
    """

    def __init__(self, bins: Sequence[NumericBins]) -> None:
        self._bins = tuple(bins)
        most = max((len(each.edges) for each in bins), default=0)
        # Nothing is greater than nan: behind the last edge comes none.
        edges = np.full((len(bins), most + 1), np.nan)
        for row, each in enumerate(bins):
            edges[row, : len(each.edges)] = each.edges
        # The lowest edge lies right below the sample's smallest value: see ``numeric_bins``.
        inner = [each.edges[1:] if len(each.edges) > 1 else each.edges for each in bins]
        self._low = np.array([[each[0] if len(each) else 0.0] for each in inner])
        high = np.array([[each[-1] if len(each) else 0.0] for each in inner])
        with np.errstate(over="ignore", divide="ignore"):
            scale = (CELLS - 2) / (high - self._low)
        # Neither 0 nor infinity: their product would be nan, and nan has no place in an order.
        self._scale = np.clip(scale, sys.float_info.min, sys.float_info.max)
        self._table = np.concatenate(
            [self._edges_before(row, edges[row, : len(b.edges)]) for row, b in enumerate(bins)]
        )
        self._edges = edges.ravel()
        self._from_cell = np.arange(len(bins))[:, None] * CELLS
        self._from_edge = np.arange(len(bins))[:, None] * (most + 1)

    def _edges_before(self, row: int, edges: Floats) -> NDArray[np.int16]:
        """How many edges lie before each cell of a feature, or that several lie in it."""
        cells = _cells(edges, self._low[row], self._scale[row])
        inside = np.bincount(cells, minlength=CELLS)
        return np.where(inside > 1, _CROWDED, np.cumsum(inside) - inside).astype(np.int16)

    def holds(self, bins: Sequence[NumericBins]) -> bool:
        """Whether these are its bins, in this order."""
        return len(bins) == len(self._bins) and all(map(is_, bins, self._bins))

    def place(self, values: Floats) -> NDArray[np.intp]:
        """Bin of each value, shape (features, n), as ``NumericBins.place`` finds it.

        A nan has any.
        """
        cells = _cells(values, self._low, self._scale)
        before = self._table.take(cells + self._from_cell)
        # A crowded cell looks at some edge, to no end.
        above = values > self._edges.take(before + self._from_edge, mode="wrap")
        places = (before + above).astype(np.intp)
        crowded = before == _CROWDED
        for row in np.flatnonzero(crowded.any(axis=1)).tolist():
            within = np.flatnonzero(crowded[row])
            places[row, within] = self._bins[row].place(values[row, within])
        return places


def _cells(values: Floats, low: Floats, scale: Floats) -> NDArray[np.intp]:
    with np.errstate(over="ignore", invalid="ignore"):
        found = (values - low) * scale
    # The first cell holds all that is lower, and the second begins at the lowest edge.
    found += 1.0
    np.fmax(found, 0.0, out=found)
    np.fmin(found, CELLS - 1.0, out=found)
    return found.astype(np.intp)
