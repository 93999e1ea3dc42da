"""Numbers and durations as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def duration(seconds: float) -> str:
    """One unit, two at most.

    >>> duration(0.4), duration(42), duration(200), duration(90_000)
    ('0 s', '42 s', '3 min', '25 h')
    """
    if seconds < 120:
        return f"{int(seconds)} s"
    if seconds < 7200:
        return f"{int(seconds // 60)} min"
    if seconds < 2 * 86_400:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86_400)} d"


def figure(value: float) -> str:
    """Three digits that matter, and a unit above ten thousand.

    >>> figure(0), figure(0.123456), figure(1234), figure(48_100), figure(2_300_000)
    ('0', '0.123', '1,234', '48.1k', '2.3M')
    """
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def latency(seconds: float) -> str:
    """Milliseconds, or seconds from one on.

    >>> latency(0.0042), latency(2.5)
    ('4.2 ms', '2.5 s')
    """
    return f"{seconds:.2g} s" if seconds >= 1 else f"{figure(round(seconds * 1000, 2))} ms"


def percent(ratio: float) -> str:
    """A share.

    >>> percent(0), percent(0.0004), percent(0.25)
    ('0 %', '0.04 %', '25 %')
    """
    return f"{100 * ratio:.2g} %" if ratio < 0.995 else f"{100 * ratio:.3g} %"


def times_threshold(severity: float) -> str:
    """A severity. Where the threshold is next to nothing, the factor says nothing.

    >>> times_threshold(8.25), times_threshold(1e8)
    ('8.25 × threshold', '> 1,000 × threshold')
    """
    return f"{figure(severity) if severity <= 1000 else '> 1,000'} × threshold"


def moment(timestamp: float) -> str:
    """A time of day in UTC, with its date.

    >>> moment(0)
    '1970-01-01 00:00:00 UTC'
    """
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return "at an impossible time"
