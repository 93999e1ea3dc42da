"""Jensen-Shannon distance, base 2: the distance that raises alarms."""

from __future__ import annotations

import math

from scipy.special import rel_entr

from streamgauge.distances.base import (
    Counts,
    Distance,
    chi_square_quantile,
    degrees_of_freedom,
    sampling_noise,
    small_sample,
)

TWICE_A_BIT = 2 * math.log(2)
EIGHT_NATS = 8 * math.log(2)


class JensenShannon(Distance, name="js"):
    """Square root of the Jensen-Shannon divergence in bits: 0 (equal) to 1 (disjoint).

    Bounded, symmetric, and defined with empty bins. For two samples of one distribution
    ``8 ln 2 · JSD / (1/N + 1/n)`` is about chi-square with bins − 1 degrees of freedom.

    Examples
    --------
    >>> import numpy as np
    >>> js = JensenShannon()
    >>> js.value(np.array([50, 50]), np.array([100, 0]))  # doctest: +ELLIPSIS
    0.557...
    >>> js.value(np.array([10, 0]), np.array([0, 10]))
    1.0

    References
    ----------
    Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on
    Information Theory 37(1), 145-151. Nielsen, F. and Nock, R. (2013), arXiv:1309.3029, for the
    chi-square approximation of f-divergences.
    """

    def value(self, reference: Counts, current: Counts) -> float:
        n, m = int(reference.sum()), int(current.sum())
        if not n or not m:
            return 0.0
        p, q = reference / n, current / m
        middle = (p + q) / 2
        nats = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum())
        return math.sqrt(min(max(nats / TWICE_A_BIT, 0.0), 1.0))

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        quantile = chi_square_quantile(alpha, degrees_of_freedom(reference, current))
        quantile *= small_sample(reference, current)
        scale = sampling_noise(reference, current) / EIGHT_NATS
        return min(math.sqrt(quantile * scale), 1.0)
