"""Requests of the service around a publisher: begun, failed, under way."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of this process so far. Those in flight have been started and not finished."""

    started: int
    errors: int
    in_flight: int


class RequestCounters:
    """Counts requests; the middleware of a service calls it. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = 0
        self._finished = 0
        self._errors = 0

    def started(self) -> None:
        with self._lock:
            self._started += 1

    def finished(self, error: bool) -> None:
        with self._lock:
            self._finished += 1
            self._errors += error

    def snapshot(self) -> Requests:
        with self._lock:
            return Requests(self._started, self._errors, self._started - self._finished)
