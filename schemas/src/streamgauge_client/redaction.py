"""What a privacy policy makes of one value: a hash, a bucket, or nothing."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

Rule = Callable[[Any], Any]

#: Ratios of a value and a width: below, an error of rounding is no part of a bucket; from the
#: other on, neighbouring doubles are further apart than edges.
_EXACT, _NO_FINER = 1e6, 2.0**52
_HASHED = re.compile(r"h:[0-9a-f]{16}")


class Inapplicable(Exception):
    """A rule does not go with a value, which must then not be sent. It never holds the value."""


def hashed(key: bytes) -> Rule:
    """HMAC-SHA256 with the key, as ``h:`` and 16 hex digits. What is hashed already stays.

    Values that JSON may write in two ways, as ``3`` and ``3.0``, have one hash.

    >>> hashed(b"k")("SE"), hashed(b"k")(hashed(b"k")("SE")) == hashed(b"k")("SE")
    ('h:ce6aea3c7702d637', True)
    """
    import hmac  # here: for who hashes alone

    def apply(value: Any) -> str:
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, float) and value.is_integer():
            text = str(int(value))
        elif isinstance(value, (str, int, float)):
            text = str(value)
        else:
            raise Inapplicable
        if _HASHED.fullmatch(text):
            return text
        # A lone surrogate is no UTF-8; JSON refuses it, but only after this.
        digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")
        return f"h:{digest[:8].hex()}"

    return apply


def bucketed_by_width(width: float) -> Rule:
    """The lower edge of the bucket, ``floor(x / width) * width``. An edge is its own bucket.

    >>> bucketed_by_width(10)(47), bucketed_by_width(0.5)(-0.7)
    (40, -1.0)
    """

    def apply(value: Any) -> float:
        number = _number(value)
        if isinstance(number, int) and isinstance(width, int):
            return number // width * width
        ratio = number / width
        if not math.isfinite(ratio):
            raise Inapplicable
        if abs(ratio) < _EXACT:
            # Edges are rounded to doubles: without room for that, 0.3 would be in the bucket of
            # 0.2, and an edge that comes by again in the bucket below its own.
            return math.floor(ratio + 1e-9) * width
        if abs(ratio) >= _NO_FINER:
            return number
        # Here that room would be too small or too large: the last edge that is not above.
        bucket = math.floor(ratio)
        while bucket * width > number:
            bucket -= 1
        while (bucket + 1) * width <= number:
            bucket += 1
        return bucket * width

    return apply


def bucketed_by_edges(edges: Sequence[float]) -> Rule:
    """The bucket's name. Each bucket holds its lower edge. A name is its own bucket.

    >>> bucketed_by_edges([0, 18, 65])(18)
    '18 – 65'
    """
    # 18 and 18.0 are one edge and have one name, whoever read them from which file.
    names = [str(int(edge)) if float(edge).is_integer() else str(edge) for edge in edges]
    labels = [
        f"< {names[0]}",
        *(f"{low} – {high}" for low, high in zip(names, names[1:], strict=False)),
        f"≥ {names[-1]}",
    ]
    known = frozenset(labels)

    def apply(value: Any) -> str:
        if isinstance(value, str) and value in known:
            return value
        return labels[bisect_right(edges, _number(value))]

    return apply


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Inapplicable
    return value
