"""Counts per bin of a reference, for numbers and for categories alike."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric


class Histogram(Metric, name="histogram"):
    """Integer counts over a fixed number of bins; what the bins are is the reference's to know.

    Examples
    --------
    >>> import numpy as np
    >>> h = Histogram(bins=3)
    >>> h.update(np.array([0, 2, 2]))
    >>> h.counts.tolist(), h.n
    ([1, 0, 2], 3)
    """

    __slots__ = ("counts",)

    def __init__(self, *, bins: int) -> None:
        self.counts: NDArray[np.int64] = np.zeros(bins, dtype=np.int64)

    @property
    def n(self) -> int:
        # Of some dozen bins, half the price of numpy's sum.
        return sum(self.counts.tolist())

    def update(self, indices: NDArray[np.intp], weights: NDArray[np.int64] | None = None) -> None:
        """Take the bin of each value, shape (n,), and how many values each stands for."""
        self.counts += weighted_bincount(indices, weights, minlength=len(self.counts))

    def merge(self, other: Self) -> None:
        if len(other.counts) != len(self.counts):
            raise ValueError("histograms over different bins do not add up")
        self.counts += other.counts

    def state(self) -> list[Any]:
        return [self.counts]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(bins=len(state[0]))
        made.counts = state[0].copy()
        return made

    def get(self) -> dict[str, float]:
        return {"count": float(self.n)}


def weighted_bincount(
    indices: NDArray[Any], weights: NDArray[np.int64] | None, *, minlength: int
) -> NDArray[np.int64]:
    """``np.bincount`` in whole numbers. Exact up to 2**53, which no window reaches."""
    if weights is None:
        return np.bincount(indices, minlength=minlength)
    return np.bincount(indices, weights=weights, minlength=minlength).astype(np.int64)


def quantile(edges: NDArray[np.float64], counts: NDArray[np.int64], q: float) -> float | None:
    """Interpolate a quantile from bin counts.

    ``edges`` (bins − 1,) part the bins; the outer two are open, so a quantile in them is the
    outermost edge. None where there is nothing.

    >>> import numpy as np
    >>> quantile(np.array([1.0, 2.0]), np.array([0, 10, 0]), 0.5)
    1.5
    """
    total = int(counts.sum())
    if not total or not len(edges):
        return None
    cumulative = np.cumsum(counts)
    rank = q * total
    index = int(np.searchsorted(cumulative, rank))
    if index == 0 or index >= len(edges):
        return float(edges[0] if index == 0 else edges[-1])
    before = float(cumulative[index - 1])
    share = (rank - before) / float(counts[index])
    return float(edges[index - 1] + share * (edges[index] - edges[index - 1]))
