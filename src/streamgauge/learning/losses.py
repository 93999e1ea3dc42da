"""What an answer cost, once the truth is known: the same measure for champion and candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamgauge.learning.examples import Said

#: Residuals of the champion from which the bound of a regression's loss is told.
ENOUGH = 200
#: The bound is so many times the absolute error that nine of ten keep.
MARGIN = 3.0
#: The largest residual: finite numbers may be further apart than a float can say.
LARGEST = 1e150


class LossBound:
    """The bound of one loss: 1 for classes; for numbers told by the champion's first residuals."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.bound: float | None = None if task == "regression" else 1.0
        self._first: list[float] = []

    def look(self, residual: float) -> None:
        """Take a residual of the champion while the bound is not known."""
        if self.bound is None:
            self._first.append(abs(residual))
            if len(self._first) >= ENOUGH:
                scale = float(np.quantile(np.array(self._first), 0.9))
                self.bound, self._first = MARGIN * scale or 1.0, []

    def state(self) -> list[Any]:
        return [self.bound, list(self._first)]

    def restore(self, state: list[Any]) -> None:
        self.bound, self._first = state[0], list(state[1])


def loss(said: Said, truth: str | float) -> float | None:
    """0 or 1 for a class, the absolute error for a number; None where nothing was said."""
    if said is None or isinstance(said, str) != isinstance(truth, str):
        return None
    if isinstance(said, str):
        return float(said != truth)
    return min(abs(said - float(truth)), LARGEST)
