"""Jensen-Shannon distance, base 2: the distance that raises alarms."""

from __future__ import annotations

import math

import numpy as np

from streamgauge.distances.base import (
    Counts,
    Distance,
    chi_square_quantile,
    degrees_of_freedom,
    sampling_noise,
    shares,
    small_sample,
)


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
        if not reference.sum() or not current.sum():
            return 0.0
        p, q = shares(reference, current)
        middle = (p + q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(p > 0, p * np.log2(p / middle), 0.0)
            right = np.where(q > 0, q * np.log2(q / middle), 0.0)
        divergence = float(left.sum() + right.sum()) / 2
        return math.sqrt(min(max(divergence, 0.0), 1.0))

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        quantile = chi_square_quantile(alpha, degrees_of_freedom(reference, current))
        quantile *= small_sample(reference, current)
        scale = sampling_noise(reference, current) / (8 * math.log(2))
        return min(math.sqrt(quantile * scale), 1.0)
