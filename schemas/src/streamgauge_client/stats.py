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
    ``heartbeats`` of the ``sent`` ones are the publisher's own.
    ``dropped`` never got that far, by reason. ``sampled_out`` were left out on purpose, by
    ``sample_rate``. ``adjusted`` were sent with a change, by kind:
    ``nonfinite`` (NaN or infinity became null), ``truncated`` (text cut to 1,024 characters),
    ``latency`` (negative, became null), ``scores`` (more than 1,000 classes, left out),
    ``privacy`` (a field left out because its policy does not go with its value), ``derive`` (an
    input from which ``Publisher.derived`` got no features).
    ``bytes`` counts the values of what was sent.
    """

    queued: int
    sent: int
    heartbeats: int
    delivered: int
    dropped: Mapping[str, int]
    sampled_out: int
    failed: int
    bytes: int
    adjusted: Mapping[str, int]
    last_error: str | None


class Counters:
    """The mutable side of ``PublisherStats``. Safe to use from any thread."""

    def __init__(self) -> None:
        # Reentrant: a finalizer or a signal handler may log while its own thread counts.
        self._lock = threading.RLock()
        # By the event's name; a pair of name and reason for the dropped ones.
        self._sent: dict[str, int] = {}
        self._failed: Counter[str] = Counter()
        self._sampled_out: Counter[str] = Counter()
        self._dropped: Counter[tuple[str, DropReason]] = Counter()
        self._bytes = 0
        self._adjusted: Counter[str] = Counter()
        self._last_error: str | None = None
        self._warning = Throttle(WARNING_INTERVAL)

    def sent(self, name: str, size: int) -> None:
        """An event was taken. One thread at a time: its callers hold the sender's lock."""
        self._sent[name] = self._sent.get(name, 0) + 1
        self._bytes += size

    def sampled_out(self, name: str) -> None:
        with self._lock:
            self._sampled_out[name] += 1

    def adjusted(self, kind: str) -> None:
        with self._lock:
            self._adjusted[kind] += 1

    def dropped(self, name: str, reason: DropReason, error: str) -> None:
        with self._lock:
            self._dropped[name, reason] += 1
            self._last_error = error
        if reason != "disabled":
            self._warn("event dropped (%s): %s", reason, error)

    def failed(self, name: str, error: str) -> None:
        with self._lock:
            self._failed[name] += 1
            self._last_error = error
        self._warn("event not delivered: %s", error)

    def left_behind(self, name: str) -> None:
        """An event was still queued at the end; what kept it there stays the last error."""
        with self._lock:
            self._failed[name] += 1
            self._last_error = self._last_error or "still queued when the publisher closed"
        self._warn("event not delivered: still queued when the publisher closed")

    def trouble(self, error: str) -> None:
        """Something is wrong that has cost no event yet."""
        self._last_error = error
        self._warn("%s", error)

    def read(self, queued: int) -> PublisherStats:
        with self._lock:
            sent, failed = sum(self._sent.values()), self._failed.total()
            dropped: Counter[str] = Counter()
            for (_, reason), count in self._dropped.items():
                dropped[reason] += count
            # The producer's own number holds events of other kinds, such as errors.
            queued = min(queued, sent - failed)
            return PublisherStats(
                queued=queued,
                sent=sent,
                heartbeats=self._sent.get("telemetry", 0),
                # Successes are not reported one by one: a callback each would take the GIL
                # once per event. What is neither queued nor failed has arrived.
                delivered=max(0, sent - failed - queued),
                dropped=dict(dropped),
                sampled_out=self._sampled_out.total(),
                failed=failed,
                bytes=self._bytes,
                adjusted=dict(self._adjusted),
                last_error=self._last_error,
            )

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Events by name and outcome: ``sent``, ``failed``, ``sampled_out``, ``dropped_<reason>``.

        Those that failed had been sent before: they are in both.
        """
        with self._lock:
            found = Counter({(name, "sent"): count for name, count in list(self._sent.items())})
            found.update({(name, "failed"): count for name, count in self._failed.items()})
            found.update({(name, "sampled_out"): n for name, n in self._sampled_out.items()})
            found.update({(name, f"dropped_{why}"): n for (name, why), n in self._dropped.items()})
            return found

    def _warn(self, message: str, *details: str) -> None:
        with self._lock:
            if not self._warning.ready():
                return
            dropped, failed = self._dropped.total(), self._failed.total()
        logger.warning(
            message + " (so far %d dropped, %d undelivered; details in stats())",
            *details,
            dropped,
            failed,
        )
