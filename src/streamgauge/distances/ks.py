"""Kolmogorov-Smirnov distance over the reference's bins."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import kolmogi

from streamgauge.distances.base import Counts, Distance, sampling_noise, shares


class KolmogorovSmirnov(Distance, name="ks"):
    """Largest gap between the two distribution functions, taken at the bins' edges.

    A lower bound of the statistic of the raw values, hence a conservative test; with 64 quantile
    bins the difference is at most one bin's share.

    Examples
    --------
    >>> import numpy as np
    >>> KolmogorovSmirnov().value(np.array([50, 50]), np.array([80, 20]))
    0.3

    References
    ----------
    Smirnov, N. (1948). Table for estimating the goodness of fit of empirical distributions.
    Annals of Mathematical Statistics 19(2), 279-281.
    """

    ordered = True

    def value(self, reference: Counts, current: Counts) -> float:
        if not reference.sum() or not current.sum():
            return 0.0
        p, q = shares(reference, current)
        gap = float(np.max(np.abs(np.cumsum(p) - np.cumsum(q))))
        return round(gap, 12)

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        return min(_quantile(alpha) * math.sqrt(sampling_noise(reference, current)), 1.0)


@lru_cache(maxsize=1024)
def _quantile(alpha: float) -> float:
    return float(kolmogi(alpha))
