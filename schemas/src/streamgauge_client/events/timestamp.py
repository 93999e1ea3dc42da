"""Event time: reading an RFC 3339 string or seconds since 1970, and refusing all guesses."""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: From here on a number can only be milliseconds: as seconds it would be the year 5138.
FIRST_MILLISECONDS = 1e11

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# fromisoformat alone takes more than RFC 3339 has: weeks, "+0100", a comma, no separators.
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)
_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?", re.ASCII)


def to_seconds(value: float | str) -> float:
    """Seconds since 1970 of a time as events give it.

    Raises ``ValueError`` with a text for people: it never holds the string that was given.

    >>> to_seconds("1970-01-02T00:00:00+01:00")
    82800.0
    >>> to_seconds(1_700_000_000_000)
    Traceback (most recent call last):
        ...
    ValueError: 1.7e+12 looks like milliseconds; give seconds since 1970
    """
    seconds = _parse(value) if isinstance(value, str) else float(value)
    if seconds >= FIRST_MILLISECONDS:
        raise ValueError(f"{seconds:.3g} looks like milliseconds; give seconds since 1970")
    # Also what refuses a NaN, which compares false to everything.
    if not seconds >= 0.0:
        raise ValueError("lies before 1970; event time is never negative")
    return seconds


def _parse(text: str) -> float:
    if not _RFC3339.fullmatch(text):
        if _WITHOUT_OFFSET.fullmatch(text):
            raise ValueError('has no offset from UTC; write "Z" or "+00:00" behind the time')
        raise ValueError(
            "is no time; give seconds since 1970 as a number,"
            ' or RFC 3339 with an offset like "2026-01-31T12:00:00Z"'
        )
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("names a day or a time that does not exist") from None
    return (moment - _EPOCH).total_seconds()
