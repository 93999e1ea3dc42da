"""Where a subscription begins: at the end of the log, at its beginning, or some time ago."""

from __future__ import annotations

import re
from typing import Literal

Since = Literal["latest", "beginning"] | float

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def parse_since(given: str) -> Since:
    """``latest``, ``beginning``, or a duration in seconds. Raises ``ValueError``.

    >>> parse_since("latest"), parse_since("90m")
    ('latest', 5400.0)
    """
    if given == "latest":
        return "latest"
    if given == "beginning":
        return "beginning"
    if match := _DURATION.fullmatch(given):
        return float(match[1]) * _UNITS[match[2]]
    raise ValueError(
        f'since={given!r} is unknown; give "latest", "beginning" or a time like "30s", "15m", "1h"'
    )
