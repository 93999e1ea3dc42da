"""How far ordinary windows lie from what is usual, kept as three numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.distances import JensenShannon
from streamgauge.distances.base import sampling_noise

Counts = NDArray[np.int64]

#: Windows that a fit is made of at least: half an hour of fast ones is one mood.
ENOUGH_WINDOWS = 30
#: A squared distance counts as so many times what is usual at most. Of the widest that are met (a
#: gamma of shape 0.5) one in a hundred lies beyond.
OUTLYING = 6.0

_js = JensenShannon()


def squared(usual: Counts, own: Counts) -> float:
    """Squared distance of two histograms over the same bins, in units of its noise."""
    return _js.value(usual, own) ** 2 / sampling_noise(usual, own)


class WindowDistances:
    """Count, mean and sum of squared deviations of squared distances, in units of their noise.

    Examples
    --------
    >>> seen = WindowDistances()
    >>> for i in range(60):
    ...     seen.add(1.0 + i % 2)
    >>> shape, scale = seen.fit
    >>> round(shape * scale, 9), round(shape * scale**2, 9)
    (1.5, 0.25)
    """

    __slots__ = ("_mean", "_n", "_spread")

    def __init__(self, n: int = 0, mean: float = 0.0, spread: float = 0.0) -> None:
        self._n, self._mean, self._spread = n, mean, spread

    def add(self, distance: float) -> None:
        """Take an ordinary window's. One alone must not turn the fit."""
        if self._n >= ENOUGH_WINDOWS:
            distance = min(distance, OUTLYING * self._mean)
        self._n += 1
        gap = distance - self._mean
        self._mean += gap / self._n
        self._spread += gap * (distance - self._mean)

    @property
    def fit(self) -> tuple[float, float] | None:
        """Shape and scale of a gamma distribution, by moments; None before there are enough."""
        if self._n < ENOUGH_WINDOWS or self._mean <= 0 or self._spread <= 0:
            return None
        variance = self._spread / self._n
        return self._mean**2 / variance, variance / self._mean

    def state(self) -> list[Any]:
        return [self._n, self._mean, self._spread]
