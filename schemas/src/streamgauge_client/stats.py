"""Delivery counters of one publisher."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge_client.throttle import Throttle
from streamgauge_client.unfit import DropReason

logger = logging.getLogger(__name__)

#: Seconds between two warnings of one publisher.
WARNING_INTERVAL = 60.0


@dataclass(frozen=True, slots=True)
class PublisherStats:
    """What became of a publisher's events in this process.

    ``sent`` were taken into the queue; each of them is ``queued``, ``delivered`` or ``failed``.
    ``dropped`` never got that far, by reason. ``adjusted`` were sent with a change, by kind:
    ``nonfinite`` (NaN or infinity became null), ``truncated`` (text cut to 1,024 characters),
    ``latency`` (negative, became null), ``scores`` (more than 1,000 classes, left out).
    ``bytes`` counts the values of what was sent.
    """

    queued: int
    sent: int
    delivered: int
    dropped: Mapping[str, int]
    failed: int
    bytes: int
    adjusted: Mapping[str, int]
    last_error: str | None


class Counters:
    """The mutable side of ``PublisherStats``. Safe to use from any thread."""

    def __init__(self) -> None:
        # Reentrant: a finalizer or a signal handler may log while its own thread counts.
        self._lock = threading.RLock()
        self._sent = 0
        self._bytes = 0
        self._failed = 0
        self._dropped: Counter[str] = Counter()
        self._adjusted: Counter[str] = Counter()
        self._last_error: str | None = None
        self._warning = Throttle(WARNING_INTERVAL)

    def sent(self, size: int) -> None:
        with self._lock:
            self._sent += 1
            self._bytes += size

    def adjusted(self, kind: str) -> None:
        with self._lock:
            self._adjusted[kind] += 1

    def dropped(self, reason: DropReason, error: str) -> None:
        with self._lock:
            self._dropped[reason] += 1
            self._last_error = error
        if reason != "disabled":
            self._warn("event dropped (%s): %s", reason, error)

    def failed(self, error: str) -> None:
        with self._lock:
            self._failed += 1
            self._last_error = error
        self._warn("event not delivered: %s", error)

    def left_behind(self) -> None:
        """An event was still queued at the end; what kept it there stays the last error."""
        with self._lock:
            self._failed += 1
            self._last_error = self._last_error or "still queued when the publisher closed"
        self._warn("event not delivered: still queued when the publisher closed")

    def trouble(self, error: str) -> None:
        """Something is wrong that has cost no event yet."""
        self._last_error = error
        self._warn("%s", error)

    def read(self, queued: int) -> PublisherStats:
        with self._lock:
            # The producer's own number holds events of other kinds, such as errors.
            queued = min(queued, self._sent - self._failed)
            return PublisherStats(
                queued=queued,
                sent=self._sent,
                # Successes are not reported one by one: a callback each would take the GIL
                # once per event. What is neither queued nor failed has arrived.
                delivered=max(0, self._sent - self._failed - queued),
                dropped=dict(self._dropped),
                failed=self._failed,
                bytes=self._bytes,
                adjusted=dict(self._adjusted),
                last_error=self._last_error,
            )

    def _warn(self, message: str, *details: str) -> None:
        with self._lock:
            if not self._warning.ready():
                return
            dropped, failed = self._dropped.total(), self._failed
        logger.warning(
            message + " (so far %d dropped, %d undelivered; details in stats())",
            *details,
            dropped,
            failed,
        )
