"""The error series: 1 where an answer was wrong, whatever kind of answer it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamgauge.metrics.spread import LARGEST
from streamgauge.monitor.truth.scored import Floats, Scored
from streamgauge.monitor.truth.task import Task

#: Residuals from which the scale of a regression is told.
ENOUGH = 200
#: The share of residuals that are no error when the scale is told.
USUAL = 0.9


class ErrorScale:
    """Turns residuals into errors: one beyond what nine of ten were when the model was young.

    So every detector and every rule that knows error rates serves regressions too. Until
    ``ENOUGH`` residuals came nothing is an error and nothing is fed.
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self.scale: float | None = None

    def errors(self, task: Task, scored: Scored) -> tuple[int, Floats]:
        """Errors of rows (n,), from the row on that is returned first: earlier ones set the scale.

        User-computed scores have none.
        """
        if task == "scores":
            return len(scored), np.zeros(0)
        if task != "regression":
            return 0, scored.wrong
        said, true = (np.clip(each, -LARGEST, LARGEST) for each in (scored.said, scored.true_value))
        residuals = np.abs(said - true)
        start = 0
        if self.scale is None:
            start = min(ENOUGH - len(self._first), len(residuals))
            self._first += residuals[:start].tolist()
            if len(self._first) < ENOUGH:
                return start, np.zeros(0)
            self.scale = float(np.quantile(np.array(self._first), USUAL))
            self._first = []
        return start, (residuals[start:] > self.scale).astype(np.float64)

    def state(self) -> list[Any]:
        return [list(self._first), self.scale]

    def restore(self, state: list[Any]) -> None:
        self._first, self.scale = list(state[0]), state[1]
