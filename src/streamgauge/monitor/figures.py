"""What is known of one figure of a window: its value, and the interval in which the truth lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri
from scipy.stats import binom

from streamgauge.metrics.histogram import quantile

#: A mean of fewer values is not taken for normal.
FEWEST_FOR_MEAN = 30


class Estimate(NamedTuple):
    """A value and its interval; an end is None where the data do not bound it.

    ``n`` are the events that it stands on.
    """

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """``successes`` of ``n``. ``weight`` is how many predictions one counted event stands for.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22(158), 209-212.
    """

    successes: float
    n: float
    weight: float = 1.0

    def estimate(self, confidence: float) -> Estimate | None:
        n = self.n / self.weight
        if n <= 0:
            return None
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        p = min(max(self.successes / self.n, 0.0), 1.0)
        middle = p + z * z / (2 * n)
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        whole = 1 + z * z / n
        low = max((middle - spread) / whole, 0.0) if p > 0 else 0.0
        high = min((middle + spread) / whole, 1.0) if p < 1 else 1.0
        return Estimate(p, low, high, round(n))


@dataclass(frozen=True)
class Quantile:
    """The ``q`` quantile of a histogram: ``edges`` (bins − 1,), ``counts`` (bins,).

    The interval is that of order statistics, widened to the edges of their bins: it needs no shape
    of the distribution. ``unit`` multiplies the edges (1000: seconds to milliseconds).

    References
    ----------
    Conover, W. J. (1999). Practical Nonparametric Statistics, 3rd edition, section 3.2.
    """

    q: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    unit: float = 1.0
    weight: float = 1.0

    def estimate(self, confidence: float) -> Estimate | None:
        value = quantile(self.edges, self.counts, self.q)
        n = int(int(self.counts.sum()) / self.weight)
        if value is None or not n:
            return None
        tail = (1 - confidence) / 2
        lower, upper = int(binom.ppf(tail, n, self.q)), int(binom.ppf(1 - tail, n, self.q)) + 1
        cumulative = np.cumsum(self.counts)
        low = high = None
        if lower >= 1:
            place = int(np.searchsorted(cumulative, lower * self.weight))
            low = float(self.edges[place - 1]) * self.unit if place else None
        if upper <= n:
            place = int(np.searchsorted(cumulative, upper * self.weight))
            high = float(self.edges[place]) * self.unit if place < len(self.edges) else None
        return Estimate(value * self.unit, low, high, n)


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of ``n`` values of that spread, by the normal approximation."""

    mean: float
    std: float
    n: int

    def estimate(self, confidence: float) -> Estimate | None:
        if self.n <= 0:
            return None
        if self.n < FEWEST_FOR_MEAN:
            return Estimate(self.mean, None, None, self.n)
        half = NormalDist().inv_cdf(0.5 + confidence / 2) * self.std / math.sqrt(self.n)
        return Estimate(self.mean, self.mean - half, self.mean + half, self.n)


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` events in ``seconds``, taken for a Poisson process.

    References
    ----------
    Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.
    """

    count: int
    seconds: float

    def estimate(self, confidence: float) -> Estimate | None:
        if self.seconds <= 0:
            return None
        tail, k = (1 - confidence) / 2, self.count
        # chdtri takes the upper tail; half of chi-square with 2k degrees is a gamma quantile.
        low = float(chdtri(2 * k, 1 - tail)) / 2 if k else 0.0
        high = float(chdtri(2 * k + 2, tail)) / 2
        return Estimate(k / self.seconds, low / self.seconds, high / self.seconds, k)


@dataclass(frozen=True, slots=True)
class Level:
    """A value that was measured and not sampled: what telemetry says, a severity."""

    value: float
    n: int = 1

    def estimate(self, confidence: float) -> Estimate | None:
        return Estimate(self.value, self.value, self.value, self.n)


Figure = Ratio | Quantile | Mean | Rate | Level
#: Figures by the names of ``specs.measures``; those of a feature as ``missing_ratio(amount)``.
Figures = Mapping[str, Figure]
