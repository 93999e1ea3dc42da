"""How often each class was predicted for each true class, and the figures that follow."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.sums import carried, compact, effective, left, row_weights, same_rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

#: Classes at most. What is rarer belongs into a class of its own for the rest.
MOST_CLASSES = 100


class ClassScore(NamedTuple):
    """One class against all others; ``support`` and ``predicted`` are weighted counts of rows.

    Precision without a prediction and recall without a true case are 0, as in scikit-learn: look
    at the counts before you judge them.
    """

    precision: float
    recall: float
    f1: float
    #: Share of the other classes' rows that were taken for this class.
    false_positive_ratio: float
    support: float
    predicted: float


class Confusion(Metric, name="confusion"):
    """Weighted counts of (predicted, true) pairs of classes.

    Classes are positions in a table that the caller owns; the matrix grows with the codes it sees,
    up to ``MOST_CLASSES``. Definitions are scikit-learn's with ``zero_division=0``. Classes without
    weight do not exist; balanced accuracy is over the classes that are true somewhere.

    Examples
    --------
    >>> import numpy as np
    >>> c = Confusion()
    >>> c.update(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]))
    >>> c.get(positive=1)["precision"], c.get(positive=1)["recall"], c.get()["accuracy"]
    (0.5, 1.0, 0.75)

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological
    Measurement 20(1), 37-46.
    Gorodkin, J. (2004). Comparing two K-category assignments by a K-category correlation
    coefficient. Computational Biology and Chemistry 28, 367-374.
    """

    __slots__ = ("_cells", "_squares")

    def __init__(self) -> None:
        #: Rows are predictions, columns the truth.
        self._cells: Floats = np.zeros((2, 2))
        self._squares = 0.0

    @property
    def n(self) -> float:
        """The sum of weights."""
        return math.fsum(self._cells.ravel().tolist())

    @property
    def effective_n(self) -> float:
        """Events of equal weight that are worth as much: what intervals are made of."""
        return effective(self.n, self._squares)

    def update(self, predicted: Codes, truth: Codes, weights: Floats | None = None) -> None:
        """Take codes of classes, (n,) each, and weights (n,).

        Raises ``ValueError`` for codes outside 0..99, columns that differ in length, and weights
        that are negative or not finite.
        """
        rows = same_rows(predicted=predicted, truth=truth)
        weight = row_weights(weights, rows)
        if not rows:
            return
        least = min(int(predicted.min()), int(truth.min()))
        most = max(int(predicted.max()), int(truth.max()))
        if least < 0 or most >= MOST_CLASSES:
            code = least if least < 0 else most
            raise ValueError(
                f"a class has code {code}, codes are 0..{MOST_CLASSES - 1}: put the rare into one"
            )
        self._grow(most + 1)
        # In the order of rows, from what the cell holds: ``bincount`` would begin at zero.
        np.add.at(self._cells.reshape(-1), predicted * len(self._cells) + truth, weight)
        self._squares = carried(self._squares, weight * weight)

    def _grow(self, classes: int) -> None:
        if classes > len(self._cells):
            grown = np.zeros((classes, classes))
            grown[: len(self._cells), : len(self._cells)] = self._cells
            self._cells = grown

    def count(self, predicted: int, truth: int) -> float:
        """Return the weight of the rows that were predicted so while that was true."""
        size = len(self._cells)
        if not (0 <= predicted < size and 0 <= truth < size):
            return 0.0
        return float(self._cells[predicted, truth])

    def pairs(self) -> dict[tuple[int, int], float]:
        """Return the weight of each (predicted, truth) that occurred, in the order of codes."""
        found = zip(*(side.tolist() for side in self._cells.nonzero()), strict=True)
        return {(one, other): float(self._cells[one, other]) for one, other in found}

    def merge(self, other: Self) -> None:
        self._grow(len(other._cells))
        size = len(other._cells)
        self._cells[:size, :size] += other._cells
        self._squares += other._squares

    def take_out(self, other: Self) -> None:
        self._grow(len(other._cells))
        size = len(other._cells)
        self._cells[:size, :size] = left(self._cells[:size, :size], other._cells)
        self._squares -= other._squares

    def state(self) -> list[Any]:
        predicted, truth = self._cells.nonzero()
        counts = compact(self._cells[predicted, truth])
        return [predicted * MOST_CLASSES + truth, counts, self._squares]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        pairs, counts, made._squares = state
        predicted, truth = np.divmod(pairs.astype(np.intp), MOST_CLASSES)
        made._grow(int(max(predicted.max(), truth.max())) + 1 if len(pairs) else 0)
        made._cells[predicted, truth] = counts
        return made

    def _occurring(self) -> tuple[list[int], Floats]:
        """Return the classes that have weight, and the matrix of those alone.

        What the matrix once grew to must not show in the last digit of a sum.
        """
        found = np.flatnonzero(self._cells.any(axis=0) | self._cells.any(axis=1))
        return found.tolist(), self._cells[np.ix_(found, found)]

    def per_class(self) -> dict[int, ClassScore]:
        """Return precision, recall and more of each class that was predicted or true."""
        classes, cells = self._occurring()
        return dict(zip(classes, _scores(cells), strict=True))

    def get(self, positive: int | None = None) -> dict[str, float]:
        """Return the figures; precision, recall and f1 are macro without a ``positive`` class.

        ``kappa`` is left out where chance alone agrees always.
        """
        classes, cells = self._occurring()
        if not classes:
            return {}
        scores = _scores(cells)
        n, right = float(cells.sum()), float(np.trace(cells))
        predicted, support = cells.sum(axis=1), cells.sum(axis=0)
        recalls = [score.recall for score in scores if score.support]
        figures = {
            "n": n,
            "accuracy": right / n,
            # Not one minus accuracy: of a million rows a few errors keep all their digits.
            "error_ratio": max(float((predicted - cells.diagonal()).sum()), 0.0) / n,
            "balanced_accuracy": math.fsum(recalls) / len(recalls),
            "mcc": _mcc(right, n, predicted, support),
        }
        chance = float(predicted @ support) / n
        if len(classes) > 1 and n > chance:
            figures["kappa"] = (right - chance) / (n - chance)
        if positive is None:
            for name in ("precision", "recall", "f1"):
                figures[name] = math.fsum(getattr(each, name) for each in scores) / len(scores)
        else:
            found = dict(zip(classes, scores, strict=True)).get(positive, _ABSENT)
            figures |= {"precision": found.precision, "recall": found.recall, "f1": found.f1}
        return figures


_ABSENT = ClassScore(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _scores(cells: Floats) -> list[ClassScore]:
    hits, predicted, support = cells.diagonal(), cells.sum(axis=1), cells.sum(axis=0)
    # Differences of sums can leave their range by a last digit.
    wrongly = np.maximum(predicted - hits, 0.0)
    others = np.maximum(support.sum() - support, 0.0)
    columns = (
        _ratio(hits, predicted),
        _ratio(hits, support),
        _ratio(2 * hits, predicted + support),
        np.minimum(_ratio(wrongly, others), 1.0),
        support,
        predicted,
    )
    return [ClassScore(*row) for row in np.stack(columns, axis=1).tolist()]


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _mcc(right: float, n: float, predicted: Floats, support: Floats) -> float:
    """Matthews' correlation for any number of classes; 0 where one side never varies."""
    if min(np.count_nonzero(predicted), np.count_nonzero(support)) < 2:
        # Computed, it would be one rounding error divided by another.
        return 0.0
    both, one, other = predicted @ support, predicted @ predicted, support @ support
    spread = (n * n - one) * (n * n - other)
    found = float((right * n - both) / math.sqrt(spread)) if spread > 0 else 0.0
    return min(max(found, -1.0), 1.0)
