"""Pearson's chi-square, made a distance that does not grow with the number of events."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincc, gammainccinv, pdtr

from streamgauge.distances.base import Counts, Distance, sampling_noise, shares

#: Expected events in new bins from which their number is as good as normal.
_MANY = 30.0


class ChiSquare(Distance, name="chi_square"):
    """Σ (p − q)² / m, with m the shares of both sides together.

    That is Pearson's statistic of the two histograms times ``1/N + 1/n``: the statistic itself
    doubles with twice the events, this does not. Symmetric; without an upper bound, because what
    only the smaller side has weighs by how rare it is in both together.

    The threshold is not chi-square's alone. Bins of few events give the statistic a greater
    variance, which a gamma distribution has as well; and each event in a bin that the reference
    never saw adds N/n at once. Chance brings about n/N of them a bin, so that at 5,000 against 500
    chi-square alone would be exceeded three times as often as promised at 1 %, and ten times at
    0.1 %.

    Examples
    --------
    >>> import numpy as np
    >>> chi_square = ChiSquare()
    >>> round(chi_square.value(np.array([50, 50]), np.array([80, 20])), 4)
    0.3956
    >>> round(chi_square.value(np.array([500, 500]), np.array([800, 200])), 4)
    0.3956

    References
    ----------
    Pearson, K. (1900). On the criterion that a given system of deviations … can be reasonably
    supposed to have arisen from random sampling. Philosophical Magazine 50(302), 157-175. For small
    bins: Haldane, J. (1940). The mean and variance of χ², when used as a test of homogeneity, when
    expectations are small. Biometrika 31(3/4), 346-355.
    """

    def value(self, reference: Counts, current: Counts) -> float:
        if not reference.sum() or not current.sum():
            return 0.0
        p, q = shares(reference, current)
        both = (reference + current) / int(reference.sum() + current.sum())
        seen = both > 0
        return float(np.sum(np.square(p[seen] - q[seen]) / both[seen]))

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        known = reference > 0
        mean = max(float(np.count_nonzero(known)) - 1.0, 1.0)
        variance = 2.0 * mean + _excess(reference[known], current[known])
        # A bin that the reference never saw has a chance of about 1/N, or it would have been seen.
        # How much exactly nobody knows; with twice of it the promise holds.
        step = max(int(reference.sum()), 1) / max(int(current.sum()), 1)
        expected = 2.0 * int(np.count_nonzero(~known)) / step
        if expected >= _MANY:
            mean, variance, expected = mean + expected * step, variance + expected * step**2, 0.0
        quantile = float(gammainccinv(mean * mean / variance, alpha)) * variance / mean
        if expected:
            quantile = _with_new(alpha, mean, variance, expected, step, at_least=quantile)
        return quantile * sampling_noise(reference, current)


def _excess(reference: Counts, current: Counts) -> float:
    """What bins of few events add to the variance of the statistic, given both sides' sums."""
    both = reference + current
    total = int(both.sum())
    share = int(current.sum()) / max(total, 1)
    # The events of a bin fall to either side like coins: this is the kurtosis of their number.
    product = share * (1.0 - share)
    return max(float(np.sum((1.0 - 6.0 * product) / (both * product))), 0.0) if product else 0.0


def _with_new(
    alpha: float, mean: float, variance: float, expected: float, step: float, *, at_least: float
) -> float:
    """Quantile of a gamma variable and ``step`` for each of a Poisson number of events."""
    most = 1
    while 1.0 - pdtr(most, expected) > alpha / 10 and most < 200:
        most += 1
    numbers = np.arange(most + 1)
    weights = np.diff(pdtr(numbers, expected), prepend=0.0)

    def too_often(quantile: float) -> float:
        rest = np.maximum(quantile - numbers * step, 0.0)
        chance = gammaincc(mean * mean / variance, rest * mean / variance)
        return float(np.dot(weights, chance)) - alpha

    if too_often(at_least) <= 0:
        return at_least
    return float(brentq(too_often, at_least, at_least + most * step, xtol=1e-9))
