"""Puts records on the log, and says when Kafka has them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from streamgauge.access.kafka import OPEN
from streamgauge.access.rights import missing_right
from streamgauge_client.codec import Headers
from streamgauge_client.throttle import Throttle

logger = logging.getLogger(__name__)
_SILENT = logging.getLogger(f"{__name__}.librdkafka")

_POLL_SECONDS = 0.1
#: Above librdkafka's own time limit, so that its report comes first and says more.
_SLACK_SECONDS = 3.0
_OPTIONS: Mapping[str, Any] = {
    # As every producer of ours: librdkafka's own default would part labels from predictions.
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "acks": "all",
    # Posts wait for their acknowledgement; what comes together still travels together.
    "linger.ms": 2,
    "compression.type": "lz4",
    "socket.connection.setup.timeout.ms": 5_000,
    "log.connection.close": False,
    "log_level": 2,
}


class Outgoing(NamedTuple):
    """A record that is to be put on the log."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes


class Appender:
    """A producer whose acknowledgements can be awaited. Made and used on one event loop.

    Parameters
    ----------
    ack_seconds
        How long Kafka has for a record. After it the record is given up, and the sender told so.
    max_bytes
        Most bytes in the producer's queue.
    security
        What ``access.kafka.librdkafka_security`` makes.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        ack_seconds: float,
        max_bytes: int,
        security: Mapping[str, str] = OPEN,
    ) -> None:
        self._ack_seconds = ack_seconds
        self._config = {
            **_OPTIONS,
            **security,
            "bootstrap.servers": bootstrap_servers,
            "delivery.timeout.ms": int(ack_seconds * 1000),
            "queue.buffering.max.kbytes": max(1024, 2 * max_bytes // 1024),
            "error_cb": self._on_error,
        }
        self._stopping = threading.Event()
        self._denied = Throttle()
        #: Why Kafka can't be reached, or "" while it can.
        self.down = "Kafka has not answered yet"
        self._producer = self._made()
        self._thread = threading.Thread(target=self._poll, name="ingest-producer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Drain what is under way, at most as long as its records may take."""
        self._producer.flush(self._ack_seconds)
        self._stopping.set()
        self._thread.join(2 * _POLL_SECONDS + 1.0)

    async def append(self, records: Sequence[Outgoing]) -> list[str]:
        """Put records on the log; for each "", or why it may not be there."""
        batch = _Acknowledgements(len(records))
        for position, record in enumerate(records):
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=record.headers,
                    on_delivery=partial(self._delivered, batch, position),
                )
            except BufferError:
                batch.settle(position, "the producer's queue is full")
            except KafkaException as error:
                self._note_fatal(error.args[0])
                batch.settle(position, error.args[0].name())
        try:
            return await asyncio.wait_for(batch.outcome, self._ack_seconds + _SLACK_SECONDS)
        except TimeoutError:
            return batch.unsettled_as("no answer from Kafka in time")

    def _delivered(self, batch: _Acknowledgements, position: int, error: Any, message: Any) -> None:
        if error is None:
            self.down = ""
            batch.settle(position, "")
            return
        self._note_fatal(error)
        if (right := missing_right(error, message.topic())) and self._denied.ready():
            logger.error("records are refused: %s", right)
        batch.settle(position, error.name().removeprefix("_"))

    def _on_error(self, error: Any) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self.down = "Kafka does not answer"

    def _note_fatal(self, error: Any) -> None:
        """A producer in librdkafka's fatal state never sends again; another takes its place."""
        if error.fatal():
            logger.error("the producer failed for good (%s); another is made", error.name())
            self._producer = self._made()

    def _made(self) -> Producer:
        return Producer(self._config, logger=_SILENT)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            producer = self._producer
            if self.down:
                # Only metadata tells that Kafka is back while nobody posts.
                with contextlib.suppress(KafkaException):
                    producer.list_topics(timeout=1.0)
                    self.down = ""
            producer.poll(_POLL_SECONDS)


class _Acknowledgements:
    """Of the records of one request: a future that is done when all of them are settled."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[list[str]] = self._loop.create_future()
        self._results: list[str | None] = [None] * count
        self._left = count
        # Reports come on the producer's thread, what is refused at once on the loop's.
        self._lock = threading.Lock()
        if not count:
            self.outcome.set_result([])

    def settle(self, position: int, result: str) -> None:
        with self._lock:
            self._results[position] = result
            self._left -= 1
            last = self._left == 0
        if last:
            # The loop may be closed by the time that the last report comes.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish)

    def unsettled_as(self, text: str) -> list[str]:
        return [text if result is None else result for result in self._results]

    def _finish(self) -> None:
        if not self.outcome.done():
            self.outcome.set_result(self.unsettled_as(""))
