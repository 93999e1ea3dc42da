"""A thread that does something at a steady rate until it is told to stop."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod


class Paced(threading.Thread):
    """Calls ``step`` ``rate`` times a second, by a schedule: what is late is made up for."""

    def __init__(self, name: str, *, rate: float) -> None:
        super().__init__(name=name, daemon=True)
        self.rate = rate
        #: What ended it before its time; None while all is well.
        self.failure: Exception | None = None
        self._stopped = threading.Event()

    @abstractmethod
    def step(self, index: int, elapsed: float) -> None:
        """Do it once, ``elapsed`` seconds after the first time."""

    def run(self) -> None:
        started = time.monotonic()
        index = 0
        try:
            while not self._stopped.is_set():
                elapsed = time.monotonic() - started
                due = index / self.rate
                if due > elapsed:
                    self._stopped.wait(due - elapsed)
                    continue
                self.step(index, elapsed)
                index += 1
        except Exception as error:
            # Kept for the main thread, which must not run on as if all were well.
            self.failure = error

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5)
