"""Wasserstein distance over ranks: how far, on average, the events have moved."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ai_zeros, airye, erfcinv

from streamgauge.distances.base import Counts, Distance, sampling_noise, shares

#: δ of the series: the zeros of Ai' by their size, over the cube root of 2. The last terms are
#: needed only where the distribution function is 1 to twelve digits.
_DELTAS = -ai_zeros(40)[1] / 2 ** (1 / 3)
#: Below this chance ``1 − F`` has too few digits left. From there on the tail is followed.
_SMALLEST = 1e-9


class Wasserstein(Distance, name="wasserstein"):
    """Area between the two distribution functions, over the ranks of the reference: 0 to 1.

    A bin lies where its middle stands in the reference, from 0 (lowest) to 1, so the bins' edges
    are not needed, the unit of the values does not matter and tails weigh no more than the rest.
    0.1 says: the events moved by a tenth of the reference's events, on average. Not symmetric,
    because the scale is the reference's.

    For two samples of one distribution it is about ``√(1/N + 1/n)`` times the area under a
    Brownian bridge's absolute value. Bins (ties) take ``√(1 − Σ m³)`` of that, as they take it
    from the variance of ranks; the tail is then exact, and for few bins the threshold is a little
    high.

    Examples
    --------
    >>> import numpy as np
    >>> quarters = np.array([25, 25, 25, 25])
    >>> Wasserstein().value(quarters, np.array([0, 25, 25, 50]))
    0.1875

    References
    ----------
    Vallender, S. (1974). Calculation of the Wasserstein distance between probability distributions
    on the line. Theory of Probability and its Applications 18(4), 784-786. The null distribution:
    Johnson, B. and Killeen, T. (1983). An explicit formula for the c.d.f. of the L1 norm of the
    Brownian bridge. Annals of Probability 11(3), 807-808.
    """

    ordered = True

    def value(self, reference: Counts, current: Counts) -> float:
        if not reference.sum() or not current.sum():
            return 0.0
        p, q = shares(reference, current)
        # From the middle of one bin to the middle of the next, in ranks of the reference.
        steps = (p[:-1] + p[1:]) / 2
        return min(float(np.sum(np.abs(np.cumsum(p - q))[:-1] * steps)), 1.0)

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        both = reference + current
        total = max(int(both.sum()), 1)
        # All in one bin leaves no way to differ; a threshold must be above 0 all the same.
        spread = max(1.0 - float(np.sum((both / total) ** 3)), 1.0 / total)
        scale = math.sqrt(spread * sampling_noise(reference, current))
        return min(bridge_area_quantile(alpha) * scale, 1.0)


@lru_cache(maxsize=1024)
def bridge_area_quantile(alpha: float) -> float:
    """The value that ∫|B| of a Brownian bridge exceeds with chance ``alpha``.

    >>> round(bridge_area_quantile(0.05), 4)
    0.5821
    """
    if alpha >= _SMALLEST:
        # |∫B| never exceeds ∫|B|, and is normal with variance 1/12: that is the lower end.
        low = _one_sign(alpha)
        return float(brentq(lambda x: 1.0 - _distribution(x) - alpha, low, low + 0.2, xtol=1e-12))
    # Far out the path keeps its sign, and the two agree ever better: what separates them where
    # the series still has digits is too much from there on, and on the safe side.
    return _one_sign(alpha) + bridge_area_quantile(_SMALLEST) - _one_sign(_SMALLEST)


def _one_sign(alpha: float) -> float:
    return float(erfcinv(alpha)) / math.sqrt(6.0)


def _distribution(x: float) -> float:
    """P(∫|B| ≤ x), by Johnson and Killeen's series."""
    argument = 3 ** (-4 / 3) * np.square(_DELTAS) * x ** (-4 / 3)
    # ``airye`` leaves out a factor that would underflow; it joins the other exponent here.
    exponent = -2 / 27 * _DELTAS**3 / x**2 - 2 / 3 * argument**1.5
    terms = np.exp(exponent) * airye(argument)[0] / _DELTAS
    return float(math.sqrt(math.pi / 2) * 3 ** (2 / 3) * x ** (-1 / 3) * terms.sum())
