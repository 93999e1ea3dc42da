"""How far the time that events state is from the time at which the log took them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.histogram import quantile, weighted_bincount

#: An event further ahead of its record has a clock that is wrong, in seconds.
AHEAD = 5.0
#: Hours behind that time zones differ by, and how late within one an event may come, in seconds.
HOURS = range(1, 13)
_LATE = 120.0
#: Lag (record time − event time) in seconds; a lag on an edge belongs below it.
EDGES: NDArray[np.float64] = np.array(
    [-60.0, -AHEAD, -1.0, 0.0, 0.1, 1.0, 5.0, 30.0, 120.0, 600.0]
    + [edge for hour in HOURS for edge in (hour * 3600.0 - AHEAD, hour * 3600.0 + _LATE)]
    + [86_400.0, 604_800.0]
)
_AHEAD_BINS = int(np.searchsorted(EDGES, -AHEAD)) + 1
_HOUR_BINS: dict[int, int] = {
    hour: int(np.searchsorted(EDGES, hour * 3600.0 + _LATE)) for hour in HOURS
}


class Skew(Metric, name="skew"):
    """Events by lag on a fixed grid, with a bin of its own for each whole hour.

    ``ahead_ratio`` are events more than ``AHEAD`` seconds before their time, ``hour_ratio`` those
    that come a whole number of hours late: somebody's local time.

    Examples
    --------
    >>> import numpy as np
    >>> s = Skew()
    >>> s.update(np.array([103.0, 101.0, 110.0, 7300.0]), np.array([100.0, 100.0, 118.0, 99.0]))
    >>> s.get()["ahead_ratio"], s.get()["hour_ratio"], s.hour
    (0.25, 0.25, 2)
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(len(EDGES) + 1, dtype=np.int64)

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    @property
    def ahead(self) -> int:
        """Events more than ``AHEAD`` seconds before their time."""
        return int(self.counts[:_AHEAD_BINS].sum())

    @property
    def hour(self) -> int:
        """Whole hours by which most of those are late that are late by whole hours; 0 for none."""
        counts = {hour: int(self.counts[row]) for hour, row in _HOUR_BINS.items()}
        most = max(counts, key=lambda hour: counts[hour])
        return most if counts[most] else 0

    def update(
        self,
        record_time: NDArray[np.float64],
        event_time: NDArray[np.float64],
        weights: NDArray[np.int64] | None = None,
    ) -> None:
        """Take times in seconds, each (n,), and how many events each stands for."""
        places = np.searchsorted(EDGES, record_time - event_time, side="left")
        self.counts += weighted_bincount(places, weights, minlength=len(self.counts))

    def merge(self, other: Self) -> None:
        self.counts += other.counts

    def state(self) -> list[Any]:
        return [self.counts]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.counts = state[0].copy()
        return made

    def get(self) -> dict[str, float]:
        n = self.n
        if not n:
            return {}
        late = sum(int(self.counts[row]) for row in _HOUR_BINS.values())
        figures = {"ahead_ratio": self.ahead / n, "hour_ratio": late / n}
        for q in (0.5, 0.99):
            value = quantile(EDGES, self.counts, q)
            if value is not None:
                figures[f"lag_p{round(100 * q)}"] = value
        return figures
