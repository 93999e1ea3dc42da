"""How good the probabilities of a classifier of several classes are."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.sums import carried, effective, left, only_ratios, row_weights, same_rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

#: Where scikit-learn clips a probability before its logarithm.
CLIP = float(np.finfo(np.float64).eps)


class ClassScores(Metric, name="class_scores"):
    """Log loss and Brier score of probabilities per class.

    ``log_loss`` is clipped as in scikit-learn. ``brier`` is the squared distance to the true class,
    summed over classes: 0..2, also with two classes, where it is twice ``BinaryScores``' figure.
    Rows need not add up to one, since a model may send its first few classes alone; what it did not
    send had probability 0.

    Examples
    --------
    >>> import numpy as np
    >>> c = ClassScores()
    >>> c.update(np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]]), np.array([0, 1]))
    >>> {name: round(value, 3) for name, value in c.get().items()}
    {'n': 2.0, 'log_loss': 0.525, 'brier': 0.32}

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78(1), 1-3.
    """

    __slots__ = ("_losses", "_squared", "_squares", "n")

    def __init__(self) -> None:
        #: The sum of weights.
        self.n = 0.0
        self._losses = self._squared = self._squares = 0.0

    @property
    def effective_n(self) -> float:
        """Events of equal weight that are worth as much: what intervals are made of."""
        return effective(self.n, self._squares)

    def update(self, probabilities: Floats, truth: Codes, weights: Floats | None = None) -> None:
        """Take probabilities (n, k), the true class (n,) by its column, and weights (n,).

        A truth of k or more is a class that the model gave no probability. Raises ``ValueError``
        for probabilities outside 0..1, truths below 0, columns that differ in length, and weights
        that are negative or not finite.
        """
        if probabilities.ndim != 2:
            raise ValueError(
                f"probabilities have shape {probabilities.shape}: give (rows, classes)"
            )
        weight = row_weights(weights, same_rows(probabilities=probabilities, truth=truth))
        only_ratios(probabilities=probabilities)
        if not len(truth):
            return
        if truth.min() < 0:
            raise ValueError("a true class is below 0: leave rows of unknown truth out")
        classes = probabilities.shape[1]
        of_true = np.zeros(len(truth))
        known = np.flatnonzero(truth < classes)
        of_true[known] = probabilities[known, truth[known]]
        squared = (1.0 - of_true) ** 2 - of_true**2
        # Column by column: numpy adds the classes of a row in an order that hangs on their layout.
        for column in probabilities.T:
            squared += column * column
        self.n = carried(self.n, weight)
        self._losses = carried(self._losses, -np.log(np.clip(of_true, CLIP, 1 - CLIP)) * weight)
        # What the true class was counted twice for leaves a last digit below zero.
        self._squared = carried(self._squared, np.maximum(squared, 0.0) * weight)
        self._squares = carried(self._squares, weight * weight)

    def merge(self, other: Self) -> None:
        self.n += other.n
        self._losses += other._losses
        self._squared += other._squared
        self._squares += other._squares

    def take_out(self, other: Self) -> None:
        self.n = left(np.array([self.n]), np.array([other.n])).item()
        self._losses -= other._losses
        self._squared -= other._squared
        self._squares -= other._squares

    def state(self) -> list[Any]:
        return [self.n, self._losses, self._squared, self._squares]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.n, made._losses, made._squared, made._squares = state
        return made

    def get(self) -> dict[str, float]:
        if not self.n:
            return {}
        return {"n": self.n, "log_loss": self._losses / self.n, "brier": self._squared / self.n}
