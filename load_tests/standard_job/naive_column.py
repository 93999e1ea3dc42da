"""One numeric column of the naive loop: River's detector and River's statistics."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from river import stats
from river.drift import ADWIN

from load_tests.standard_job.job import BINS, QUANTILES

#: Share of an empty bin, so that the index is finite.
_LEAST = 1e-4


@dataclass(frozen=True)
class Summary:
    """A column of a window."""

    count: int
    missing_ratio: float
    mean: float
    deviation: float
    low: float
    high: float
    quantiles: tuple[float, ...]
    psi: float


class NumericColumn:
    """One numeric column: a detector for ever, statistics for a window."""

    def __init__(self, reference: Sequence[float]) -> None:
        self._edges = np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]).tolist()
        places = [bisect_right(self._edges, value) for value in reference]
        self._usual = np.bincount(places, minlength=BINS)
        self._adwin = ADWIN()
        self.detections = 0
        self._afresh()

    def _afresh(self) -> None:
        self._missing = 0
        self._mean, self._var, self._low, self._high = (
            stats.Mean(),
            stats.Var(),
            stats.Min(),
            stats.Max(),
        )
        self._quantiles = [stats.Quantile(q) for q in QUANTILES]
        self._bins = [0] * BINS

    def take(self, value: float | None) -> None:
        if value is None:
            self._missing += 1
            return
        self._adwin.update(value)
        self.detections += self._adwin.drift_detected
        self._mean.update(value)
        self._var.update(value)
        self._low.update(value)
        self._high.update(value)
        for quantile in self._quantiles:
            quantile.update(value)
        self._bins[bisect_right(self._edges, value)] += 1

    def close(self) -> Summary:
        """Sum the window up and begin the next one."""
        n = sum(self._bins)
        summary = Summary(
            count=n,
            missing_ratio=self._missing / max(n + self._missing, 1),
            mean=self._mean.get(),
            deviation=self._var.get() ** 0.5,
            low=self._low.get(),
            high=self._high.get(),
            quantiles=tuple(quantile.get() for quantile in self._quantiles),
            psi=psi(np.array(self._bins), self._usual),
        )
        self._afresh()
        return summary


def psi(counts: NDArray[np.int64], usual: NDArray[np.int64]) -> float:
    """Population stability index of two histograms.

    >>> psi(np.array([30, 70]), np.array([30, 70]))
    0.0
    """
    now = np.maximum(counts / max(counts.sum(), 1), _LEAST)
    then = np.maximum(usual / max(usual.sum(), 1), _LEAST)
    return float(np.sum((now - then) * np.log(now / then)))
