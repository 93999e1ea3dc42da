"""Mean and variance of a column whose size nobody knows beforehand."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.sums import carried

Floats = NDArray[np.float64]

#: Larger values are taken for this: squares of their distances must stay finite.
LARGEST = 1e140


class Spread:
    """Weight, mean, variance, minimum and maximum, of distances to the first value that came.

    A value of the column itself is never too far from the others: with an offset of 1e9 no digit
    is lost, and where the first value is an outlier its own part of the variance is the larger.
    Spreads with different first values add up about the smaller of them.

    Examples
    --------
    >>> import numpy as np
    >>> s = Spread()
    >>> s.update(np.array([1e9 + 1, 1e9 + 3]), np.ones(2))
    >>> s.n, s.mean - 1e9, s.std
    (2.0, 2.0, 1.0)

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance. The American Statistician 37(3), 242-247 (shifted data).
    """

    __slots__ = ("_distances", "_shift", "_squares", "events", "largest", "n", "smallest")

    def __init__(self) -> None:
        self._shift = self.n = self._distances = self._squares = 0.0
        #: Rows that had weight.
        self.events = 0
        self.smallest, self.largest = math.inf, -math.inf

    def update(self, values: Floats, weights: Floats) -> None:
        """Take finite values and their weights, (n,) each; a row without weight leaves no trace."""
        if not weights.all():
            values, weights = values[weights > 0], weights[weights > 0]
        if not len(values):
            return
        # Plus 0.0 makes one of the two zeros.
        values = np.clip(values, -LARGEST, LARGEST) + 0.0
        if not self.events:
            self._shift = float(values[0])
        self.events += len(values)
        self.smallest = min(self.smallest, float(values.min()))
        self.largest = max(self.largest, float(values.max()))
        distances = values - self._shift
        weighted = distances * weights
        self.n = carried(self.n, weights)
        self._distances = carried(self._distances, weighted)
        self._squares = carried(self._squares, weighted * distances)

    def merge(self, other: Self) -> None:
        if not other.events:
            return
        shift = min(self._shift, other._shift) if self.events else other._shift
        mine, theirs = self._about(shift), other._about(shift)
        self._shift = shift
        self._distances, self._squares = (a + b for a, b in zip(mine, theirs, strict=True))
        self.n += other.n
        self.events += other.events
        self.smallest = min(self.smallest, other.smallest)
        self.largest = max(self.largest, other.largest)

    def take_out(self, other: Self) -> None:
        """Take the rows of ``other`` out, which were added before."""
        distances, squares = other._about(self._shift)
        self._distances -= distances
        self._squares -= squares
        self.n -= other.n
        self.events -= other.events
        if not self.events:
            # Only rounding is left.
            self.n = self._distances = self._squares = 0.0

    def _about(self, shift: float) -> tuple[float, float]:
        """Return the sums of distances to another value, and of their squares."""
        by = self._shift - shift
        # Plus 0.0: where nothing is summed up yet, the product could be a negative zero.
        distances = self._distances + by * self.n
        squares = self._squares + by * (2.0 * self._distances + by * self.n)
        return distances, squares

    @property
    def mean(self) -> float:
        """The weighted mean; only where ``n`` is positive."""
        return self._shift + self._distances / self.n

    @property
    def squares_about_mean(self) -> float:
        """The weighted sum of squared distances to the mean; only where ``n`` is positive."""
        return max(self._squares - self._distances * self._distances / self.n, 0.0)

    @property
    def std(self) -> float:
        """The standard deviation of the rows themselves; only where ``n`` is positive."""
        return math.sqrt(self.squares_about_mean / self.n)

    def state(self) -> list[Any]:
        sums = [self._shift, self.n, self._distances, self._squares]
        return [*sums, self.events, self.smallest, self.largest]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._shift, made.n, made._distances, made._squares = state[:4]
        made.events, made.smallest, made.largest = state[4:]
        return made
