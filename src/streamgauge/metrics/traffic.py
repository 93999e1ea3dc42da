"""Predictions by status, and their latency on a fixed logarithmic grid."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.histogram import quantile, weighted_bincount

STATUSES = ("ok", "error", "fallback")
#: Upper bounds in seconds: 8 a decade, 0.1 ms to 10,000 s. A bin is a third wide, and so is the
#: error of a quantile at most; where values spread over bins it is a few percent.
LATENCY_EDGES: NDArray[np.float64] = np.round(10.0 ** np.linspace(-4, 4, 65), 9)
#: More seconds than this count as this many: one absurd value must not spoil the sum for ever.
LONGEST = 86_400.0
_MICROSECONDS = 1_000_000
#: The most of one term of the sum, so that a batch can't overflow it.
_MOST = 1e14


class Traffic(Metric, name="traffic"):
    """How many predictions, how they ended, how long they took.

    An event that stands for several (its client samples) counts as many, but ``events`` counts it
    once: what a ratio is worth depends on how many were seen.

    Examples
    --------
    >>> import numpy as np
    >>> t = Traffic()
    >>> t.update(np.array([0, 0, 1]), np.array([0.01, 0.02, np.nan]))
    >>> t.get()["error_ratio"], t.n, t.timed
    (0.3333333333333333, 3, 2)
    """

    __slots__ = ("_microseconds", "events", "latency", "statuses")

    def __init__(self) -> None:
        self.statuses: NDArray[np.int64] = np.zeros(len(STATUSES), dtype=np.int64)
        self.latency: NDArray[np.int64] = np.zeros(len(LATENCY_EDGES) + 1, dtype=np.int64)
        # A whole number, so that it does not matter in which order events came.
        self._microseconds = 0
        self.events = 0

    @property
    def n(self) -> int:
        return int(self.statuses.sum())

    @property
    def latency_sum(self) -> float:
        """Seconds that all events took together."""
        return self._microseconds / _MICROSECONDS

    @property
    def timed(self) -> int:
        """Events that said how long they took."""
        return int(self.latency.sum())

    def update(
        self,
        statuses: NDArray[np.integer[Any]],
        latency: NDArray[np.float64],
        weights: NDArray[np.int64] | None = None,
    ) -> None:
        """Take status codes (n,), latencies in seconds (n,), NaN where not given, and weights (n,).

        Without weights each event stands for itself.
        """
        self.events += len(statuses)
        self.statuses += weighted_bincount(statuses, weights, minlength=len(STATUSES))
        timed = np.isfinite(latency)
        given = latency[timed]
        if len(given):
            weight = weights[timed] if weights is not None else None
            self.latency += weighted_bincount(
                latency_bins(given), weight, minlength=len(self.latency)
            )
            terms = np.rint(np.minimum(given, LONGEST) * _MICROSECONDS)
            if weight is not None:
                terms *= weight
            self._microseconds += int(np.minimum(terms, _MOST).astype(np.int64).sum())

    def merge(self, other: Self) -> None:
        self.statuses += other.statuses
        self.latency += other.latency
        self._microseconds += other._microseconds
        self.events += other.events

    def state(self) -> list[Any]:
        return [self.statuses, self.latency, self._microseconds, self.events]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.statuses, made.latency = state[0].copy(), state[1].copy()
        made._microseconds, made.events = state[2], state[3]
        return made

    def get(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        if self.n:
            figures["error_ratio"] = float(self.statuses[1]) / self.n
        for q in (0.5, 0.95, 0.99):
            value = quantile(LATENCY_EDGES, self.latency, q)
            if value is not None:
                figures[f"p{round(100 * q)}"] = value
        return figures


def latency_bins(seconds: NDArray[np.float64]) -> NDArray[np.intp]:
    """The grid's bin of each latency; a value on an edge belongs below it, as in Prometheus."""
    return np.searchsorted(LATENCY_EDGES, seconds, side="left")
