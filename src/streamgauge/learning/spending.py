"""How a model's error is spent over its comparisons."""

from __future__ import annotations

import math


def spent(alpha: float, k: int) -> float:
    """The level of a model's k-th comparison, from 1: alpha * 6 / (pi² k²).

    They add up to ``alpha`` however many follow, so the probability that a model is ever given a
    wrong successor is at most ``alpha`` in its whole life. Count a comparison when it
    begins, whatever comes of it. Raises ``ValueError`` for k below 1.

    >>> [round(spent(0.05, k), 4) for k in (1, 2, 10)]
    [0.0304, 0.0076, 0.0003]

    References
    ----------
    Foster, D. P. and Stine, R. A. (2008). Alpha-investing. Journal of the Royal Statistical
    Society B 70(2), 429-444 (spending over a sequence of tests).
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is a probability between 0 and 1, not {alpha!r}")
    if k < 1:
        raise ValueError(f"comparisons are counted from 1, not {k!r}")
    return alpha * 6.0 / (math.pi**2 * k**2)
