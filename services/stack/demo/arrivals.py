"""A thread that reads a topic and keeps what arrived, with when."""

from __future__ import annotations

import queue
import threading
import time
from typing import Generic, TypeVar

Event = TypeVar("Event")


class Arrivals(threading.Thread, Generic[Event]):
    """What a subclass's ``run`` keeps until ``stopped`` is set. ``failure`` is what ended it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.failure: Exception | None = None
        self.stopped = threading.Event()
        self._arrived: queue.SimpleQueue[tuple[Event, float]] = queue.SimpleQueue()

    def keep(self, event: Event) -> None:
        """Keep it, with the time (seconds since 1970)."""
        self._arrived.put((event, time.time()))

    def new(self) -> list[tuple[Event, float]]:
        """What arrived since the last call."""
        found = []
        while not self._arrived.empty():
            found.append(self._arrived.get())
        return found

    def stop(self) -> None:
        """End it, and wait for that."""
        self.stopped.set()
        if self.is_alive():
            self.join(timeout=5)
