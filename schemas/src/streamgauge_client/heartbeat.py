"""The heartbeat of a publisher: that its process lives, how it fares, and what it sent last."""

from __future__ import annotations

import math
import os
import time
import weakref
from typing import TYPE_CHECKING, Any

from streamgauge_client.ids import new_id
from streamgauge_client.process_telemetry import ProcessTelemetry
from streamgauge_client.recording import recorders
from streamgauge_client.unfit import Unfit

if TYPE_CHECKING:
    from streamgauge_client.sending import Sender

#: Seconds between two heartbeats.
DEFAULT_INTERVAL = 10.0
_MAX_HOST = 90


class Heartbeat:
    """Sends a ``TelemetryEvent`` every ``interval`` seconds, from the publisher's poll thread.

    That thread starts with the first event and belongs to its process, so a publisher that never
    sends has no heartbeat, a forked child has its own once it sends, and none holds up the end of
    a process. The sender is held weakly: a thread must not keep alive what is in nobody's hands.

    Parameters
    ----------
    interval
        Seconds; None for no heartbeat but those that are asked for.
    """

    def __init__(self, sender: Sender, interval: float | None) -> None:
        self._sender = weakref.ref(sender)
        self._interval = interval
        self._pid = 0
        self._next = 0.0

    def tick(self) -> None:
        """Send if it is time to. The poll thread calls it some times a second."""
        if self._interval is None:
            return
        telemetry = self._telemetry_here()
        sender = self._sender()
        if time.monotonic() < self._next or sender is None or not sender.connected:
            return
        self._next = time.monotonic() + self._interval
        # A test that captures its events has not asked for these.
        if not recorders:
            self._send(sender, telemetry, unasked=True)

    def beat(self) -> None:
        """Send now."""
        sender = self._sender()
        if sender is not None:
            self._send(sender, self._telemetry_here(), unasked=False)

    def _telemetry_here(self) -> ProcessTelemetry:
        """What measures this process; a forked child begins afresh."""
        if self._pid != os.getpid():
            sender = self._sender()
            self._telemetry = ProcessTelemetry(None if sender is None else sender.requests)
            self._next = time.monotonic() + (self._interval or 0.0)
            self._pid = os.getpid()
        return self._telemetry

    def _send(self, sender: Sender, telemetry: ProcessTelemetry, *, unasked: bool) -> None:
        try:
            envelope, _ = sender.begin()
            instance = f"{_host()}-{os.getpid()}-{envelope.sequences.producer[:8]}"
            document: dict[str, Any] = {
                "model": envelope.model,
                "service": envelope.service,
                "instance": instance,
                "version": envelope.version,
                "timestamp": time.time(),
                "measurements": telemetry.measure(),
            }
            if envelope.shards <= 1:
                last = sender.last_sequence(envelope.predictions.topic, envelope.key)
                if last is not None:
                    document["sequence"] = last
            sender.send(envelope.telemetry, new_id(), instance, document)
        except Exception as error:
            # Closed since the look a moment ago: nobody misses the heartbeat of a publisher's end.
            if not (unasked and isinstance(error, Unfit) and error.reason == "closed"):
                sender.drop("telemetry", error)


def interval_of(given: bool | float) -> float | None:
    """Seconds between heartbeats: True is 10, False is None. Raises ``ValueError``."""
    if given is True:
        return DEFAULT_INTERVAL
    if given is False:
        return None
    if not isinstance(given, (int, float)) or not math.isfinite(given) or given <= 0:
        raise ValueError(f"heartbeat={given!r} is none; give True, False or seconds above 0")
    return float(given)


def _host() -> str:
    try:
        return os.uname().nodename[:_MAX_HOST] or "localhost"
    except AttributeError:
        return os.environ.get("COMPUTERNAME", "localhost")[:_MAX_HOST]
