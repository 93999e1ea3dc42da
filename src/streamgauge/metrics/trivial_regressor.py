"""What the mean so far and the last value would have scored on the same events."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.spread import LARGEST
from streamgauge.metrics.sums import carried, only_finite, row_weights, same_rows

Floats = NDArray[np.float64]


class TrivialNumbers(NamedTuple):
    """Answers for each row, (n,): the mean and the last one of the values before it.

    NaN where nothing came before.
    """

    mean: Floats
    last: Floats


class TrivialRegressor:
    """Says the mean of all values so far, or the last one.

    Each event is answered before its truth is learned (prequential), in the order that they are
    given: a series like ``TrivialClassifier``, and no ``Metric``. Where figures are to add up, give
    the answers that are not NaN to a ``Regression``.

    Examples
    --------
    >>> import numpy as np
    >>> t = TrivialRegressor()
    >>> t.update(np.array([1.0, 3.0, 5.0])).mean.tolist()
    [nan, 1.0, 2.0]
    >>> t.get()
    {'n': 2.0, 'mean_mae': 2.5, 'last_mae': 2.0}

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy.
    International Journal of Forecasting 22(4), 679-688 (the naive forecast as the unit of errors).
    """

    __slots__ = ("_distances", "_first", "_last", "_sums", "_weight")

    def __init__(self) -> None:
        #: Distances are to the first value, so that an offset costs no digits.
        self._first: float | None = None
        self._last = self._distances = self._weight = 0.0
        #: Weight, and that of the absolute errors of both answers.
        self._sums = [0.0, 0.0, 0.0]

    def update(self, truth: Floats, weights: Floats | None = None) -> TrivialNumbers:
        """Take true values in order, and weights, (n,) each; return the answers.

        Rows without weight are answered, and neither learned nor counted. Raises ``ValueError`` for
        values that are not finite and weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(truth=truth))
        only_finite(truth=truth)
        if not len(truth):
            return TrivialNumbers(truth.copy(), truth.copy())
        values = np.clip(truth, -LARGEST, LARGEST) + 0.0
        if self._first is None:
            self._first = self._last = float(values[0])
        distances = values - self._first
        sums = np.add.accumulate(np.concatenate(([self._distances], distances * weight)))
        masses = np.add.accumulate(np.concatenate(([self._weight], weight)))
        some = masses[:-1] > 0
        means = np.divide(sums[:-1], masses[:-1], out=np.full(len(values), np.nan), where=some)
        mean = means + self._first
        last = np.where(some, self._before(values, weight), np.nan)
        counted = np.where(some, weight, 0.0)
        terms = (counted, np.abs(mean - values) * weight, np.abs(last - values) * weight)
        for place, each in enumerate(terms):
            self._sums[place] = carried(self._sums[place], np.where(some, each, 0.0))
        self._distances, self._weight = float(sums[-1]), float(masses[-1])
        return TrivialNumbers(mean, last)

    def _before(self, values: Floats, weight: Floats) -> Floats:
        """Return the last value with weight before each row."""
        rows = np.where(weight > 0, np.arange(1, len(values) + 1), 0)
        places = np.maximum.accumulate(np.concatenate(([0], rows)))
        held = np.concatenate(([self._last], values))[places]
        self._last = float(held[-1])
        return held[:-1]

    def restart(self) -> None:
        """Begin a new window of figures; what was learned stays."""
        self._sums = [0.0, 0.0, 0.0]

    def state(self) -> list[Any]:
        return [self._first, self._last, self._distances, self._weight, *self._sums]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._first, made._last, made._distances, made._weight, *made._sums = state
        return made

    def get(self) -> dict[str, float]:
        """Return the mean absolute error of both answers, of the events that had one."""
        n, mean, last = self._sums
        return {"n": n, "mean_mae": mean / n, "last_mae": last / n} if n else {}
