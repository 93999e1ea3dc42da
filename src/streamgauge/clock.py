"""The clock that parts are given, because none of them reads one by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds since 1970.
Clock = Callable[[], float]


def system_clock() -> float:
    """The machine's clock, in seconds since 1970."""
    return time.time()
