"""Hellinger distance: square roots of shares, so that small bins count as much as large ones."""

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


class Hellinger(Distance, name="hellinger"):
    """√(½ Σ (√p − √q)²): 0 (equal) to 1 (disjoint).

    Bounded, symmetric, and defined with empty bins. For two samples of one distribution
    ``8 H² / (1/N + 1/n)`` is about chi-square with bins − 1 degrees of freedom.

    Examples
    --------
    >>> import numpy as np
    >>> hellinger = Hellinger()
    >>> round(hellinger.value(np.array([50, 50]), np.array([100, 0])), 4)
    0.5412
    >>> hellinger.value(np.array([10, 0]), np.array([0, 10]))
    1.0

    References
    ----------
    Hellinger, E. (1909). Neue Begründung der Theorie quadratischer Formen von unendlichvielen
    Veränderlichen. Journal für die reine und angewandte Mathematik 136, 210-271. As a measure of
    drift: Ditzler, G. and Polikar, R. (2011). Hellinger distance based drift detection for
    nonstationary environments. IEEE Symposium on Computational Intelligence in Dynamic and
    Uncertain Environments, 41-48.
    """

    def value(self, reference: Counts, current: Counts) -> float:
        if not reference.sum() or not current.sum():
            return 0.0
        p, q = shares(reference, current)
        return math.sqrt(min(float(np.square(np.sqrt(p) - np.sqrt(q)).sum()) / 2, 1.0))

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        quantile = chi_square_quantile(alpha, degrees_of_freedom(reference, current))
        # An empty bin weighs four times what chi-square makes of it: twice the usual stretch.
        quantile *= 2 * small_sample(reference, current) - 1
        return min(math.sqrt(quantile * sampling_noise(reference, current) / 8), 1.0)
