"""Between which limits the truth lies of which a window is a sample."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends belong to it."""

    low: float
    high: float


def share_interval(share: float, n: float, *, confidence: float = 0.95) -> Interval | None:
    """Return Wilson's interval of a share (0..1) of ``n`` events; None of less than none.

    Of weighted events ``n`` is what they are worth (``effective_n``), and need not be whole. Sound
    from one event on, and never beyond 0..1. Raises ``ValueError`` for a share or a confidence
    outside 0..1.

    Examples
    --------
    >>> [round(end, 3) for end in share_interval(0.1, 50)]
    [0.043, 0.214]

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22(158), 209-212.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share of {share!r}: it is between 0 and 1")
    z = _quantile(confidence)
    if n <= 0:
        return None
    # Of tiny weights z² / n would overflow.
    n = max(n, 1e-6)
    whole = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / whole
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / whole
    # At the ends the formula's own value is a rounding error away.
    low = max(middle - spread, 0.0) if share > 0 else 0.0
    high = min(middle + spread, 1.0) if share < 1 else 1.0
    return Interval(low, high)


def mean_interval(
    mean: float, std: float, n: float, *, confidence: float = 0.95
) -> Interval | None:
    """Return the normal interval of a mean; None of fewer than two events.

    ``std`` is that of the ``n`` events themselves, as ``Moments`` and ``Spread`` tell it; of
    weighted events ``n`` is what they are worth. Trust it from 30 events on, or many more where the
    values have long tails. Raises ``ValueError`` for a negative ``std`` or a confidence outside
    0..1.

    Examples
    --------
    >>> [round(end, 2) for end in mean_interval(5.0, 2.0, 101)]
    [4.61, 5.39]
    """
    if not std >= 0.0:
        raise ValueError(f"a standard deviation of {std!r}: it is not negative")
    z = _quantile(confidence)
    if n < 2:
        return None
    # n − 1: the spread about the sample's own mean is smaller than about the true one.
    half = z * std / math.sqrt(n - 1)
    found = Interval(mean - half, mean + half)
    return found if all(math.isfinite(end) for end in found) else None


def _quantile(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"a confidence of {confidence!r}: it is between 0 and 1, as 0.95")
    return NormalDist().inv_cdf(0.5 + confidence / 2)
