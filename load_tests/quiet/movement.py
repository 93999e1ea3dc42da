"""What moves by itself in a quiet model: slow noise, the hour of the day, the weekend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
DAY = 86_400.0
#: 1970 began on a Thursday; Monday is day 0.
_THURSDAY = 3
#: How long the change from week to weekend takes, in days.
_DUSK = 0.1


@dataclass(frozen=True)
class Movement:
    """A path in standard deviations of a column's own noise.

    ``noise`` is the deviation of an AR(1) path whose memory is ``memory`` seconds; ``day`` the
    amplitude over the hours, highest ``phase`` days after midnight; ``weekend`` the weekend's step.
    """

    noise: float = 0.0
    memory: float = 600.0
    day: float = 0.0
    phase: float = 0.0
    weekend: float = 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of the column's values, its own noise of 1 included."""
        share = 2 / 7
        weekend = self.weekend * self.weekend * share * (1 - share)
        return math.sqrt(1.0 + self.noise**2 + self.day**2 / 2 + weekend)

    def wandering(self, seconds: float) -> float:
        """Standard deviation of the slow noise's mean over so many seconds."""
        share = self.memory / seconds
        return self.noise * math.sqrt(2 * share * (1 - share * (1 - math.exp(-1 / share))))


class Path:
    """A movement's values in order of time, day after day."""

    def __init__(self, movement: Movement, rng: np.random.Generator) -> None:
        self._movement, self._rng = movement, rng
        self._last = movement.noise * float(rng.normal())

    def take(self, times: Floats) -> Floats:
        """Values at evenly spaced times (n,), in seconds, that follow those taken before."""
        moving = self._movement
        path = moving.day * daily(times, moving.phase) + moving.weekend * weekend(times)
        if moving.noise:
            keep = math.exp(-float(times[1] - times[0]) / moving.memory)
            fresh = self._rng.normal(size=len(times)) * moving.noise * math.sqrt(1 - keep * keep)
            slow, _ = lfilter([1.0], [1.0, -keep], fresh, zi=[keep * self._last])
            self._last = float(slow[-1])
            path = path + slow
        return path


def daily(times: Floats, phase: float) -> Floats:
    """−1 to 1 over a day, 1 at ``phase``."""
    return np.cos(2 * np.pi * (times / DAY - phase))


def weekend(times: Floats) -> Floats:
    """0 from Monday to Friday, 1 on Saturday and Sunday, with a short slope between."""
    day = (times / DAY + _THURSDAY) % 7
    return np.clip(np.minimum((day - 5) / _DUSK + 1, (7 - day) / _DUSK), 0.0, 1.0)
