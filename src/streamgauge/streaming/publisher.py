"""The worker's own producer: idempotent, every record acknowledged by all replicas.

Faust's is not idempotent, and its ``flush`` does not say when a record failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streamgauge.access.kafka import OPEN
from streamgauge.access.rights import missing_right
from streamgauge.streaming.telemetry import WorkerTelemetry
from streamgauge_client.topics import DEAD_LETTERS

logger = logging.getLogger(__name__)

#: How long the last records may take to be acknowledged.
STOP_SECONDS = 1.0


class Outgoing(NamedTuple):
    """A record to produce. Without a ``partition`` its key decides."""

    topic: str
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    partition: int | None = None


class PublishFailed(Exception):
    """Kafka did not acknowledge a record. Trying again is safe: readers drop duplicates."""


class Publisher(Protocol):
    """Produces records and waits until they are acknowledged."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Produce all, in order; return when all are acknowledged. Raises ``PublishFailed``."""


class KafkaPublisher:
    """Implements ``Publisher``. aiokafka's default partitioner is murmur2, as Java's is."""

    def __init__(
        self,
        bootstrap_servers: str,
        client_id: str,
        *,
        telemetry: WorkerTelemetry,
        security: Mapping[str, Any] = OPEN,
    ) -> None:
        self._telemetry = telemetry
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            # A dead letter is a whole source record and its headers.
            max_request_size=DEAD_LETTERS.max_message_bytes,
            request_timeout_ms=10_000,
            linger_ms=2,
            **security,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        """End. An idempotent producer would wait for ever for what Kafka has not acknowledged.

        Nothing of it is lost: alarms are in the outbox, and dead letters come again with their
        records.
        """
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._producer.stop()
        except TimeoutError:
            logger.warning("Kafka is away; records that it has not acknowledged come again later")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._abandon()

    async def _abandon(self) -> None:
        sender: asyncio.Task[None] | None = self._producer._sender.sender_task
        if sender is not None:
            sender.cancel()
        await self._producer.client.close()

    async def partitions_for(self, topic: str) -> set[int]:
        """Partition numbers of a topic. Raises ``KafkaError`` where there is no such topic."""
        partitions: set[int] = await self._producer.partitions_for(topic)
        return partitions

    async def publish(self, records: Sequence[Outgoing]) -> None:
        try:
            futures = [
                await self._producer.send(
                    r.topic,
                    value=r.value,
                    key=r.key,
                    headers=list(r.headers),
                    partition=r.partition,
                )
                for r in records
            ]
            for future in futures:
                await future
        except KafkaError as error:
            self._telemetry.producer_errors += 1
            why = missing_right(error) or repr(error)
            raise PublishFailed(f"Kafka did not take a record: {why}") from error
