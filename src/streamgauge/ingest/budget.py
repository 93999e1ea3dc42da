"""How much may be under way at once: what is above is sent away, not queued."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Busy(Exception):
    """There is no room now; the sender may come again in a moment."""


class Budget:
    """Counts events and bytes between the first byte of a request and its answer. One thread."""

    def __init__(self, *, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.events = 0
        self.bytes = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A request's part; given back at the end, however it ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.events -= share.events
            self.bytes -= share.bytes

    def room(self, events: int, size: int) -> bool:
        """Whether so much more would fit."""
        return self.events + events <= self._max_events and self.bytes + size <= self._max_bytes


class Share:
    """What one request holds of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.events = 0
        self.bytes = 0

    def take(self, *, events: int = 0, size: int = 0) -> None:
        """Hold so much more. Raises ``Busy``."""
        budget = self._budget
        # A request that is alone always has room: its own limits bound it.
        others = budget.events - self.events or budget.bytes - self.bytes
        if others and not budget.room(events, size):
            raise Busy("too much is under way")
        self.events += events
        self.bytes += size
        budget.events += events
        budget.bytes += size
