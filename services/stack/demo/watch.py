"""Subscribes to the alarms topic as any team would, and keeps when each alarm arrived."""

from __future__ import annotations

import queue
import threading
import time

from streamgauge_client import AlarmEvent, AlarmSubscription, alarms


class AlarmWatch(threading.Thread):
    """Alarms from now on, with the time at which each one arrived (seconds since 1970)."""

    def __init__(self, servers: str, *, topic_prefix: str) -> None:
        super().__init__(name="demo-alarms", daemon=True)
        self.failure: Exception | None = None
        self._arrived: queue.SimpleQueue[tuple[AlarmEvent, float]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._subscription: AlarmSubscription = alarms(
            servers, topic_prefix=topic_prefix, timeout=0.5
        )

    def run(self) -> None:
        try:
            with self._subscription as subscription:
                while not self._stopped.is_set():
                    for alarm in subscription:
                        self._arrived.put((alarm, time.time()))
        except Exception as error:
            self.failure = error

    def new(self) -> list[tuple[AlarmEvent, float]]:
        """What arrived since the last call."""
        found = []
        while not self._arrived.empty():
            found.append(self._arrived.get())
        return found

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5)
