"""Population stability index, with the threshold that its folklore lacks."""

from __future__ import annotations

import numpy as np

from streamgauge.distances.base import (
    Counts,
    Distance,
    chi_square_quantile,
    degrees_of_freedom,
    sampling_noise,
    small_sample,
)


class PopulationStability(Distance, name="psi"):
    """PSI = Σ (q − p) ln(q / p), counts smoothed by ½.

    Under no change its mean is about (bins − 1)(1/N + 1/n): the usual 0.1 is a threshold on the
    size of the window. Ours follows chi-square with that scale.

    Examples
    --------
    >>> import numpy as np
    >>> round(PopulationStability().value(np.array([50, 50]), np.array([80, 20])), 3)
    0.406

    References
    ----------
    Yurdakul, B. and Naranjo, J. (2020). Statistical properties of the population stability index.
    Journal of Risk Model Validation 14(4).
    """

    def value(self, reference: Counts, current: Counts) -> float:
        if not reference.sum() or not current.sum():
            return 0.0
        p = (reference + 0.5) / (reference.sum() + 0.5 * len(reference))
        q = (current + 0.5) / (current.sum() + 0.5 * len(current))
        return float(np.sum((q - p) * np.log(q / p)))

    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        quantile = chi_square_quantile(alpha, degrees_of_freedom(reference, current))
        stretched = quantile * small_sample(reference, current)
        return stretched * sampling_noise(reference, current)
