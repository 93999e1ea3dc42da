"""How far numeric predictions are from the truth."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.spread import LARGEST, Spread
from streamgauge.metrics.sums import carried, effective, only_finite, row_weights, same_rows

Floats = NDArray[np.float64]


class Regression(Metric, name="regression"):
    """Mean absolute and squared error, bias and the share of variance that is explained.

    ``bias`` is the mean of prediction minus truth: positive where the model says too much. ``r2``
    is left out where the truth never varies. Values beyond 1e140 are taken for 1e140.

    Examples
    --------
    >>> import numpy as np
    >>> r = Regression()
    >>> r.update(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    >>> {name: round(value, 3) for name, value in r.get().items()}
    {'n': 3.0, 'mae': 0.333, 'rmse': 0.577, 'bias': 0.333, 'r2': 0.5}

    References
    ----------
    Draper, N. R. and Smith, H. (1998). Applied Regression Analysis, 3rd edition, section 1.3.
    """

    __slots__ = ("_absolute", "_errors", "_squared", "_squares", "truth")

    def __init__(self) -> None:
        self._absolute = self._errors = self._squared = self._squares = 0.0
        #: Mean and spread of the true values.
        self.truth = Spread()

    @property
    def n(self) -> float:
        """The sum of weights."""
        return self.truth.n

    @property
    def effective_n(self) -> float:
        """Events of equal weight that are worth as much: what intervals are made of."""
        return effective(self.n, self._squares)

    @property
    def absolute_std(self) -> float:
        """The standard deviation of the absolute errors, for an interval of ``mae``; 0 of none."""
        if not self.n:
            return 0.0
        mean = self._absolute / self.n
        return math.sqrt(max(self._squared / self.n - mean * mean, 0.0))

    def update(self, predicted: Floats, truth: Floats, weights: Floats | None = None) -> None:
        """Take predictions, true values and weights, (n,) each.

        Raises ``ValueError`` for values that are not finite, columns that differ in length, and
        weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(predicted=predicted, truth=truth))
        only_finite(predicted=predicted, truth=truth)
        if not len(weight):
            return
        errors = np.clip(predicted, -LARGEST, LARGEST) - np.clip(truth, -LARGEST, LARGEST)
        weighted = errors * weight
        self._absolute = carried(self._absolute, np.abs(weighted))
        self._errors = carried(self._errors, weighted)
        self._squared = carried(self._squared, weighted * errors)
        self._squares = carried(self._squares, weight * weight)
        self.truth.update(truth, weight)

    def merge(self, other: Self) -> None:
        self._absolute += other._absolute
        self._errors += other._errors
        self._squared += other._squared
        self._squares += other._squares
        self.truth.merge(other.truth)

    def take_out(self, other: Self) -> None:
        self._absolute -= other._absolute
        self._errors -= other._errors
        self._squared -= other._squared
        self._squares -= other._squares
        self.truth.take_out(other.truth)

    def state(self) -> list[Any]:
        sums = [self._absolute, self._errors, self._squared, self._squares]
        return [*sums, *self.truth.state()]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._absolute, made._errors, made._squared, made._squares = state[:4]
        made.truth = Spread.from_state(state[4:])
        return made

    def get(self) -> dict[str, float]:
        n = self.n
        if not n:
            return {}
        figures = {
            "n": n,
            "mae": self._absolute / n,
            "rmse": math.sqrt(self._squared / n),
            "bias": self._errors / n,
        }
        spread = self.truth.squares_about_mean
        if self.truth.largest > self.truth.smallest and spread > 0:
            figures["r2"] = 1.0 - self._squared / spread
        return {name: value for name, value in figures.items() if math.isfinite(value)}
