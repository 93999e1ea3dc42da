"""Where snapshots lie: the internal compacted topic.

All records of a partition number are in partition ``number mod n`` of the topic. Whoever gives
the topic more partitions loses sight of older snapshots until the next ones are taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streamgauge.access.kafka import OPEN
from streamgauge.access.rights import missing_right
from streamgauge.streaming.aside import aside
from streamgauge.streaming.log import LogUnavailable
from streamgauge.streaming.publisher import Outgoing, Publisher
from streamgauge.streaming.snapshot import Entry, Snapshot, prefix, read_back

#: How long the broker may be silent while there is more to read.
SILENCE_SECONDS = 10.0


class SnapshotLog(Protocol):
    """Keeps the newest value of every key."""

    async def write(self, number: int, entries: Sequence[Entry]) -> None:
        """Return when all are acknowledged. Raises ``PublishFailed``."""

    async def read(self, number: int, prefix: bytes) -> Mapping[bytes, bytes]:
        """Newest values of the keys that begin so. Raises ``LogUnavailable``."""


async def complete_ones(log: SnapshotLog, number: int, group: str, *, key: bytes) -> list[Snapshot]:
    """The complete snapshots of a partition number, the one that is furthest in the log first."""
    records = await log.read(number, prefix(group, number))
    return await aside(
        sum(map(len, records.values())), lambda: read_back(records, group, number, key=key)
    )


class KafkaSnapshotLog:
    """Implements ``SnapshotLog``."""

    def __init__(
        self,
        bootstrap_servers: str,
        client_id: str,
        *,
        topic: str,
        partitions: int,
        publisher: Publisher,
        security: Mapping[str, Any] = OPEN,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._client_id = client_id
        self._topic = topic
        self._partitions = partitions
        self._publisher = publisher
        self._security = security

    async def write(self, number: int, entries: Sequence[Entry]) -> None:
        partition = number % self._partitions
        await self._publisher.publish(
            [Outgoing(self._topic, key, (), value, partition) for key, value in entries]
        )

    async def read(self, number: int, prefix: bytes) -> Mapping[bytes, bytes]:
        # A consumer for this one time: it may read a gigabyte, and others have questions meanwhile.
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
            request_timeout_ms=round(SILENCE_SECONDS * 1000),
            **self._security,
        )
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await consumer.start()
            tp = TopicPartition(self._topic, number % self._partitions)
            return await _newest(consumer, tp, prefix)
        except (KafkaError, TimeoutError) as error:
            why = missing_right(error) or repr(error)
            raise LogUnavailable(f"Kafka does not give {self._topic}: {why}") from error
        finally:
            await consumer.stop()


async def _newest(
    consumer: AIOKafkaConsumer, tp: TopicPartition, prefix: bytes
) -> Mapping[bytes, bytes]:
    newest: dict[bytes, bytes] = {}
    async with asyncio.timeout(SILENCE_SECONDS):
        end = (await consumer.end_offsets([tp]))[tp]
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        position = await consumer.position(tp)
    while position < end:
        async with asyncio.timeout(SILENCE_SECONDS):
            fetched, position = await _further(consumer, tp, position)
        for record in fetched:
            if record.key is None or not record.key.startswith(prefix):
                continue
            newest.pop(record.key, None)
            if record.value is not None:
                newest[record.key] = record.value
    return newest


async def _further(
    consumer: AIOKafkaConsumer, tp: TopicPartition, position: int
) -> tuple[list[Any], int]:
    """The next records, and the position behind them. None where compaction left a hole."""
    while True:
        fetched = await consumer.getmany(tp, timeout_ms=100)
        reached = await consumer.position(tp)
        if reached > position:
            return fetched.get(tp, []), reached
