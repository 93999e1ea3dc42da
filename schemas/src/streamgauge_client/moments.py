"""Moments: what a caller may give as a time, and how times are written."""

from __future__ import annotations

import time
from datetime import datetime

from streamgauge_client.events.timestamp import to_seconds
from streamgauge_client.unfit import Unfit


def from_millis(milliseconds: float) -> float:
    """Seconds since 1970, as the contract wants them, from milliseconds.

    >>> from_millis(1_700_000_000_123)
    1700000000.123
    """
    return milliseconds / 1000


def seconds(given: object, *, name: str = "timestamp") -> float | str:
    """A time as the contract has it: seconds since 1970, or RFC 3339 text with an offset."""
    if given is None:
        return time.time()
    if type(given) is not float and hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise Unfit(f"{name} has no timezone; use datetime.now(timezone.utc)")
        given = given.timestamp()
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise Unfit(f"{name} is a {type(given).__name__}; give seconds since 1970 or a datetime")
    try:
        to_seconds(given)
    except (ValueError, OverflowError) as error:
        raise Unfit(f"{name} {error}") from error
    return given


class WallText:
    """The present as RFC 3339 text, for headers. It formats the date once a second."""

    __slots__ = ("_cached",)

    def __init__(self) -> None:
        self._cached = (0, "")

    def now(self) -> bytes:
        moment = time.time()
        whole = int(moment)
        second, text = self._cached
        if second != whole:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
            # One assignment of a pair: another thread sees the old pair or the new one.
            self._cached = (whole, text)
        return b"%s.%06dZ" % (text.encode(), (moment - whole) * 1e6)
