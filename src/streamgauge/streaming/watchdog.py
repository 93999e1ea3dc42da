"""The way out of a stall that nothing else notices: dump all stacks and end the process.

A thread of its own, so that a blocked event loop is seen too. A store or a broker that is away is
no stall.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

logger = logging.getLogger(__name__)

EXIT_CODE = 70
#: A watchdog that slept longer than this was stopped with the rest.
LONGEST_NAP = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One partition: where it stands (any value that moves), and whether it should move."""

    position: object
    behind: bool


class Stall:
    """Tells when a partition that should move has stood still for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[int, tuple[object, float]] = {}

    def stuck(self, progress: Mapping[int, Progress], now: float) -> list[int]:
        """Partitions that have stood still for the whole time."""
        found = []
        for number, state in progress.items():
            position, since = self._since.get(number, (None, now))
            if not state.behind or position != state.position:
                self._since[number] = (state.position, now)
            elif now - since >= self._seconds:
                found.append(number)
        for gone in self._since.keys() - progress.keys():
            del self._since[gone]
        return found


class Watchdog:
    """Watches ``progress`` once a second, and the event loop by the age of its ``beat``."""

    def __init__(
        self,
        seconds: float,
        progress: Callable[[], Mapping[int, Progress]],
        beat: Callable[[], float],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._seconds = seconds
        self._stall = Stall(seconds)
        self._progress = progress
        self._beat = beat
        self._end = end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        last, forgiven = time.monotonic(), time.monotonic() - self._seconds
        while not self._stop.wait(1.0):
            now = time.monotonic()
            if now - last > LONGEST_NAP:
                # The whole process was stopped, this thread too: nobody could have moved.
                forgiven = now
                self._stall = Stall(self._seconds)
            last = now
            if now - max(self._beat(), forgiven) >= self._seconds:
                return self._bark(f"the event loop has stood still for {self._seconds:g} s")
            if stuck := self._stall.stuck(self._progress(), now):
                return self._bark(f"partitions {stuck} have not moved for {self._seconds:g} s")

    def _bark(self, why: str) -> None:
        logger.critical("%s although records wait; the process ends with all stacks below", why)
        faulthandler.dump_traceback(file=2, all_threads=True)
        self._end(EXIT_CODE)
