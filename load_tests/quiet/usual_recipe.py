"""What the usual recipe would have sent: PSI above 0.1 per window, and ADWIN on raw pane means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN

#: The folklore's "some change".
PSI_LIMIT = 0.1
#: Events of a window, at least; and those that the recipe learns its reference from.
WINDOW = 500
LEARN = 3_000
_DECILES = 10


class UsualFeature:
    """The recipe for one numeric feature, fed with counts over fine bins."""

    def __init__(self) -> None:
        self._adwin = ADWIN()
        self._groups: NDArray[np.int64] | None = None
        self._reference = np.zeros(0)
        self._learning: list[NDArray[np.int64]] = []
        self._open: NDArray[np.int64] | None = None
        self.psi_alarms = self.adwin_alarms = 0

    def take(self, counts: NDArray[np.int64], means: NDArray[np.float64]) -> None:
        """Take panes in order of time: counts (k, bins), and the means of their values (k,)."""
        for mean in means.tolist():
            self._adwin.update(mean)
            self.adwin_alarms += self._adwin.drift_detected
        for row in counts:
            if self._groups is None:
                self._learn(row)
                continue
            window = row if self._open is None else self._open + row
            if window.sum() < WINDOW:
                self._open = window
                continue
            self._open = None
            self.psi_alarms += self._stability(window) > PSI_LIMIT

    def _learn(self, row: NDArray[np.int64]) -> None:
        self._learning.append(row)
        whole = np.sum(self._learning, axis=0)
        if whole.sum() < LEARN:
            return
        middle = (np.cumsum(whole) - whole / 2) / whole.sum()
        self._groups = np.minimum((middle * _DECILES).astype(np.int64), _DECILES - 1)
        self._reference = self._shares(whole)
        self._learning = []

    def _shares(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        assert self._groups is not None
        grouped = np.bincount(self._groups, weights=counts, minlength=_DECILES)
        shares: NDArray[np.float64] = np.clip(grouped / counts.sum(), 1e-4, 1.0)
        return shares

    def _stability(self, window: NDArray[np.int64]) -> float:
        actual = self._shares(window)
        return float(np.sum((actual - self._reference) * np.log(actual / self._reference)))
