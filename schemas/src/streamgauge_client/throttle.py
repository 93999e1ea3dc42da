"""At most one of something in an interval: warnings, mostly."""

from __future__ import annotations

import time


class Throttle:
    """``ready`` is true at the first call, and then once in ``interval`` seconds."""

    __slots__ = ("_interval", "_next")

    def __init__(self, interval: float = 60.0) -> None:
        self._interval = interval
        self._next = 0.0

    def ready(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._interval
        return True
