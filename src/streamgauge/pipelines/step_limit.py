"""A bound on how far one example may move a linear model."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any


class StepLimit:
    """Learns through a linear estimator, and takes back what moves a weight too far.

    It stands between one poisoned example and the model; for trees and neighbours there is nothing
    like a weight, and nothing is bounded. The intercept counts as a weight.

    Parameters
    ----------
    estimator
        A linear model of River.
    most
        Largest change of a weight by one example, above 0.
    """

    def __init__(self, estimator: Any, most: float) -> None:
        self._estimator, self._most = estimator, most

    def learn_one(self, row: dict[str, float], target: Any, **weight: float) -> None:
        """Learn one example, bounded."""
        model, most = self._estimator, self._most
        before = [dict(table.items()) for table in _tables(model)]
        intercept = getattr(model, "intercept", None)
        model.learn_one(row, target, **weight)
        for index, table in enumerate(_tables(model)):
            old = before[index] if index < len(before) else {}
            for name, value in list(table.items()):
                start = old.get(name, 0.0)
                # Written so that NaN is taken back, too.
                if not -most <= value - start <= most:
                    table[name] = start + (most if value > start else -most)
        if intercept is not None and not -most <= model.intercept - intercept <= most:
            model.intercept = intercept + (most if model.intercept > intercept else -most)


def _tables(model: Any) -> list[MutableMapping[str, float]]:
    """The weights by feature: one table, or one for each class in the order of their coming."""
    if hasattr(model, "_weights"):
        return [model._weights]
    weights = model.weights
    if weights and all(hasattr(each, "items") for each in weights.values()):
        return list(weights.values())
    return [weights]
