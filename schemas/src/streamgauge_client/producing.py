"""The Kafka side of a publisher: one producer of one process, its poll thread and its end."""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from streamgauge_client.codec import Headers, event_of_topic
from streamgauge_client.stats import Counters

#: Seconds for draining all queues of a process that ends.
EXIT_DRAIN_SECONDS = 2.0
#: Seconds in which the poll thread rests between two polls. Each poll takes the GIL, so it is
#: better to report a hundred deliveries at once than each of them alone.
_POLL_REST = 0.05
_POLL_TIMEOUT = 0.1
#: Seconds for the reports of what a closing producer gives up; they take milliseconds.
_PURGE_SECONDS = 1.0

_PRODUCER_DEFAULTS: Mapping[str, Any] = {
    # librdkafka's own default is CRC32: labels sent by a Java producer would miss their
    # predictions on another partition.
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 20,
    "batch.size": 256 * 1024,
    "compression.type": "lz4",
    "queue.buffering.max.kbytes": 64 * 1024,
    "delivery.timeout.ms": 60_000,
    "socket.connection.setup.timeout.ms": 5_000,
    "delivery.report.only.error": True,
    "log.connection.close": False,
    # Connection errors arrive by error_cb and are counted; its log would go to stderr unasked.
    "log_level": 2,
}

_open: weakref.WeakSet[KafkaOutlet] = weakref.WeakSet()
_hooks_registered = False


class KafkaOutlet:
    """A running producer. It belongs to the process that made it.

    ``Producer.produce`` is a queue in C that never blocks, so there is none in Python.

    Parameters
    ----------
    options
        librdkafka settings that win over ours, such as ``security.protocol``.
    tick
        Called by the poll thread some times a second. It must not hold this object.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        counters: Counters,
        options: Mapping[str, Any],
        tick: Callable[[], None] | None = None,
    ) -> None:
        # Imported here: 15 ms that who only reads events or runs disabled need not pay.
        from confluent_kafka import Producer

        self._stopping = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                **_PRODUCER_DEFAULTS,
                **options,
                # Functions of the counters and not of self: a cycle through the producer would
                # have the garbage collector destroy it in the middle of somebody's request.
                "on_delivery": _failure_counter(counters),
                "error_cb": _trouble_reporter(counters),
            }
        )
        self.produce = self._producer.produce
        self._thread = threading.Thread(
            target=_poll_until_stopped,
            args=(self._producer, self._stopping, counters, tick),
            name="streamgauge-publisher",
            daemon=True,
        )
        self._thread.start()
        _open.add(self)
        _register_hooks()

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        """Queue a record. Raises ``BufferError`` at once where the queue is full."""
        self.produce(topic, value=value, key=key, headers=headers)

    def send_within(
        self, topic: str, key: bytes, value: bytes, headers: Headers, *, timeout: float
    ) -> None:
        """Queue a record; wait for room up to ``timeout`` seconds, then ``BufferError``."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.send(topic, key, value, headers)
            except BufferError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
            self._producer.poll(min(left, _POLL_TIMEOUT))

    def queued(self) -> int:
        return len(self._producer)

    def flush(self, timeout: float) -> int:
        """Wait for deliveries, at most ``timeout`` seconds. Returns how many are still queued."""
        return int(self._producer.flush(max(0.0, timeout)))

    def close(self, timeout: float) -> None:
        """Drain up to ``timeout`` seconds; what is left then is counted as failed."""
        if self.flush(timeout):
            self._producer.purge(in_queue=True, in_flight=True, blocking=False)
            # librdkafka purges in its own threads: who looks once only may be too early, and
            # what is neither queued nor failed would seem to have arrived.
            deadline = time.monotonic() + _PURGE_SECONDS
            while len(self._producer) and time.monotonic() < deadline:
                self._producer.poll(_POLL_REST)
        _open.discard(self)
        self._stopping.set()
        self._thread.join(_POLL_REST + 2 * _POLL_TIMEOUT)

    def abandon(self) -> None:
        """Let go of a handle inherited through fork, without ever destroying it.

        librdkafka's threads did not come along: destroying would wait for them for ever. Python
        destroys even module globals at exit, so a reference is leaked for good.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))


def _failure_counter(counters: Counters) -> Callable[[Any, Any], None]:
    def on_delivery(error: Any, message: Any) -> None:
        if error is None:
            return
        # By the topic, since librdkafka gives no headers back: telemetry counts as predictions.
        name = event_of_topic(message.topic()) or "other"
        if error.name().startswith("_PURGE"):
            counters.left_behind(name)
        else:
            counters.failed(name, f"{error.name()}: {error.str()}")

    return on_delivery


def _trouble_reporter(counters: Counters) -> Callable[[Any], None]:
    def on_error(error: Any) -> None:
        counters.trouble(f"Kafka: {error.str()}")

    return on_error


def _poll_until_stopped(
    producer: Any,
    stopping: threading.Event,
    counters: Counters,
    tick: Callable[[], None] | None,
) -> None:
    while not stopping.wait(_POLL_REST):
        try:
            producer.poll(_POLL_TIMEOUT)
            if tick is not None:
                tick()
        except Exception as error:
            counters.trouble(f"poll: {error}")


def _register_hooks() -> None:
    global _hooks_registered
    if not _hooks_registered:
        _hooks_registered = True
        atexit.register(_drain_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget_open)
    _drain_with_multiprocessing()


def _drain_with_multiprocessing() -> None:
    """A child of multiprocessing ends by ``os._exit``: atexit never runs there."""
    multiprocessing = sys.modules.get("multiprocessing")
    util = sys.modules.get("multiprocessing.util")
    if multiprocessing and util and multiprocessing.parent_process() is not None:
        util.Finalize(None, _drain_all, exitpriority=0)


def _forget_open() -> None:
    _open.clear()


def _drain_all() -> None:
    """One deadline for all publishers of the process together."""
    deadline = time.monotonic() + EXIT_DRAIN_SECONDS
    for outlet in list(_open):
        outlet.close(deadline - time.monotonic())
