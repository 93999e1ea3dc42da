"""Hints on what is odd about values, in words: plain figures in, half a sentence or None out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

#: Values below which nothing is said.
LEAST = 100
#: An unlucky window shows a hint at most this often.
CHANCE = 1e-6
_NOTABLE = 0.005
_IGNORE = "if it is, give it `ignore: true`"


def constant(value: str | float, *, n: int, share_before: float) -> str | None:
    """One value in a whole window of a feature that varied.

    ``share_before`` is that value's share in the reference (its bin's, for numbers).

    >>> constant("SE", n=500, share_before=0.4)
    "is 'SE' in all 500 events; it was in 40 % before"
    """
    if n < 1 or max(share_before, 0.0) ** n > CHANCE:
        return None
    text = repr(value) if isinstance(value, str) else f"{value:.6g}"
    return f"is {text} in all {n:,} events; it was in {_percent(share_before)} before"


def sentinels(
    found: Mapping[float, int],
    *,
    n: int,
    usual: float = 0.0,
    ordinary: tuple[float, float] | None = None,
) -> str | None:
    """Codes for "no value" among n numbers.

    ``usual`` is their ratio in ordinary windows, ``ordinary`` the span of the reference's values: a
    price of 999 among prices is none.

    >>> sentinels({-999.0: 30}, n=1000, ordinary=(0.0, 90.0))
    'is -999 in 3 % of events: a code for a missing value?'
    """
    low, high = ordinary or (0.0, -1.0)
    odd = {code: count for code, count in found.items() if not low <= code <= high}
    total = sum(odd.values())
    if n < LEAST or total < 3 or total / n < max(_NOTABLE, 3 * usual):
        return None
    code = max(odd, key=lambda each: (odd[each], -abs(each)))
    return f"is {_code(code)} in {_percent(odd[code] / n)} of events: a code for a missing value?"


def duplicates(*, repeated: int, sampled: int, usual: float = 0.0) -> str | None:
    """Prediction ids that come again; ``usual`` is their ratio in ordinary windows.

    >>> duplicates(repeated=12, sampled=60)
    'about 20 % of prediction ids came before: is something sent twice?'
    """
    if sampled < 30 or repeated < 3 or repeated / sampled < max(0.01, 3 * usual):
        return None
    ratio = _percent(repeated / sampled)
    return f"about {ratio} of prediction ids came before: is something sent twice?"


def nearly_unique(*, distinct: int, n: int) -> str | None:
    """Texts of which nearly every event has its own.

    >>> nearly_unique(distinct=499, n=500)
    'has 499 different texts in 500 events: an id or free text; if it is, give it `ignore: true`'
    """
    if n < LEAST or distinct < 0.95 * n:
        return None
    return f"has {distinct:,} different texts in {n:,} events: an id or free text; {_IGNORE}"


def counter(values: NDArray[np.float64]) -> str | None:
    """Whole numbers that are all different and rise, shape (n,), in log order.

    >>> counter(np.arange(200.0) * 3 + 1_000)
    'is whole, never the same and rising: an id, a counter or a time; if it is, give it \
`ignore: true`'
    """
    if len(values) < LEAST or not _whole(values) or len(np.unique(values)) < len(values):
        return None
    # Several instances of a service each count in order, and mix a little.
    if np.count_nonzero(np.diff(values) > 0) < 0.9 * (len(values) - 1):
        return None
    return f"is whole, never the same and rising: an id, a counter or a time; {_IGNORE}"


def enumeration(values: NDArray[np.float64]) -> str | None:
    """Whole numbers of which there are few, shape (n,); two are a flag, and that is no fault.

    >>> enumeration(np.array([1.0, 2.0, 4.0, 8.0] * 50))
    'has only 4 different whole numbers: if they are codes, give it `type: categorical`'
    """
    if len(values) < LEAST or not _whole(values):
        return None
    distinct = len(np.unique(values))
    if not 3 <= distinct <= 12:
        return None
    return (
        f"has only {distinct} different whole numbers: if they are codes, give it "
        "`type: categorical`"
    )


def skew(*, n: int, ahead_ratio: float, hour_ratio: float, hour: int) -> str | None:
    """Clocks: the figures of ``metrics.skew``, over n events.

    >>> skew(n=500, ahead_ratio=0.0, hour_ratio=0.9, hour=2)
    '90 % of events are 2 h late to the minute: local time, sent as UTC?'
    """
    if n < LEAST:
        return None
    if hour and hour_ratio >= 0.5:
        share = _percent(hour_ratio)
        return f"{share} of events are {hour} h late to the minute: local time, sent as UTC?"
    if ahead_ratio >= 0.01:
        share = _percent(ahead_ratio)
        return f"{share} of events state a time that is more than 5 s ahead: is a clock wrong?"
    return None


def _whole(values: NDArray[np.float64]) -> bool:
    return bool((np.isfinite(values) & (values == np.trunc(values))).all())


def _code(code: float) -> str:
    return f"{code:.0f}" if abs(code) < 1e15 else f"{code:.4g}"


def _percent(ratio: float) -> str:
    percent = 100 * ratio
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.2g} %"
