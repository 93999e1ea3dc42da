"""Mean, spread and extremes of a numeric column."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric

#: Beyond this a square would overflow to infinity.
LARGEST = 1e150
#: Up to so many terms are added one by one.
FEW = 16


class Moments(Metric, name="moments"):
    """Count, mean, standard deviation, minimum and maximum.

    Parameters
    ----------
    shift
        A value near the mean. Sums are taken of distances to it, which keeps digits that a sum
        of squares of large values would lose.

    Examples
    --------
    >>> import numpy as np
    >>> m = Moments(shift=2.0)
    >>> m.update(np.array([1.0, 2.0, 3.0]))
    >>> m.get()["mean"], round(m.get()["std"], 3)
    (2.0, 0.816)

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance. The American Statistician 37(3), 242-247 (shifted data).
    """

    __slots__ = ("largest", "n", "shift", "smallest", "squares", "total")

    def __init__(self, *, shift: float = 0.0) -> None:
        self.shift = shift
        self.n = 0
        self.total = 0.0
        self.squares = 0.0
        self.smallest = math.inf
        self.largest = -math.inf

    def update(self, values: NDArray[np.float64], weights: NDArray[np.int64] | None = None) -> None:
        """Take finite values, shape (n,), and how many values each stands for."""
        if not len(values):
            return
        self.n += len(values) if weights is None else int(weights.sum())
        # Plus 0.0 makes one of the two zeros: which comes first must not show.
        self.smallest = min(self.smallest, float(values.min()) + 0.0)
        self.largest = max(self.largest, float(values.max()) + 0.0)
        distances = values - self.shift
        if np.abs(distances).max() > LARGEST:
            distances = np.clip(distances, -LARGEST, LARGEST)
        weighted = distances if weights is None else distances * weights
        self.total = _carried(self.total, weighted)
        self.squares = _carried(self.squares, weighted * distances)

    def merge(self, other: Self) -> None:
        if other.shift != self.shift:
            raise ValueError("moments about different shifts do not add up")
        self.n += other.n
        self.total += other.total
        self.squares += other.squares
        self.smallest = min(self.smallest, other.smallest)
        self.largest = max(self.largest, other.largest)

    def state(self) -> list[Any]:
        return [self.shift, self.n, self.total, self.squares, self.smallest, self.largest]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(shift=state[0])
        made.n, made.total, made.squares, made.smallest, made.largest = state[1:]
        return made

    @property
    def mean(self) -> float | None:
        """The mean of ``get``, alone."""
        if not self.n:
            return None
        mean = self.shift + self.total / self.n
        return mean if math.isfinite(mean) else None

    def get(self) -> dict[str, float]:
        if not self.n:
            return {}
        mean = self.total / self.n
        variance = max(self.squares / self.n - mean * mean, 0.0)
        figures = {
            "mean": self.shift + mean,
            "std": math.sqrt(variance),
            "min": self.smallest,
            "max": self.largest,
        }
        return {name: value for name, value in figures.items() if math.isfinite(value)}


def _carried(start: float, terms: NDArray[np.float64]) -> float:
    """Sum in order from ``start``: pairwise summation would depend on how a batch was cut."""
    if len(terms) <= FEW:
        # The same additions in the same order, without numpy's price for each call. ``sum`` would
        # not do: since Python 3.12 it corrects itself as it goes.
        for term in terms.tolist():
            start += term
        return start
    return float(np.add.accumulate(np.concatenate(([start], terms)))[-1])
