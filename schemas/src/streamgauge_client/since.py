"""Where a subscription begins: at the end of the log, its beginning, a time, or given offsets."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from streamgauge_client.events.timestamp import to_seconds
from streamgauge_client.moments import seconds
from streamgauge_client.unfit import Unfit

#: A number is a point in time, in seconds since 1970; a dictionary has offsets by partition.
Since = Literal["latest", "beginning"] | float | dict[int, int]
#: What a caller may give.
SinceGiven = str | float | datetime | Mapping[int, int]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_ALLOWED = (
    'give "latest", "beginning", how long ago like "30s", "15m", "1h", '
    "a time (RFC 3339, an aware datetime, seconds since 1970), or {partition: offset}"
)


def parse_since(given: SinceGiven, *, now: float | None = None) -> Since:
    """A start as it was given, checked. "An hour ago" is counted from now. Raises ``ValueError``.

    >>> parse_since("latest"), parse_since("90m", now=1_790_000_000.0)
    ('latest', 1789994600.0)
    >>> parse_since("2026-11-21T00:00:00Z"), parse_since({0: 17})
    (1795219200.0, {0: 17})
    """
    if given == "latest":
        return "latest"
    if given == "beginning":
        return "beginning"
    if isinstance(given, Mapping):
        return _offsets(given)
    if isinstance(given, str) and (match := _DURATION.fullmatch(given)):
        return (time.time() if now is None else now) - float(match[1]) * _UNITS[match[2]]
    if given is None:
        raise ValueError(f"since=None is unknown; {_ALLOWED}")
    try:
        return to_seconds(seconds(given, name="since"))
    except Unfit as error:
        raise ValueError(f"since={str(given)[:100]!r}: {error}; {_ALLOWED}") from error


def check_group(group: str | None, since: SinceGiven) -> Since:
    """As ``parse_since``; a group remembers its own offsets. Raises ``ValueError``."""
    start = parse_since(since)
    if group is not None and not isinstance(start, str):
        raise ValueError(
            f'since={since!r} does not go with a group; give "latest" or "beginning", '
            "or leave the group out"
        )
    return start


def _offsets(given: Mapping[Any, Any]) -> dict[int, int]:
    if not given or not all(_is_count(one) for pair in given.items() for one in pair):
        raise ValueError(f"since={str(given)[:100]} holds no offsets by partition; {_ALLOWED}")
    return dict(given)


def _is_count(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0
