"""Questions to the log beside the consumer group: bounds, and single records."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streamgauge.access.kafka import OPEN
from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import log_records
from streamgauge.streaming.header_names import read_any_header_name
from streamgauge.streaming.log import Bounds, LogUnavailable

TIMEOUT = 10.0
STOP_SECONDS = 1.0


class LogProbe:
    """A consumer in no group, one question at a time."""

    def __init__(
        self, bootstrap_servers: str, client_id: str, *, security: Mapping[str, Any] = OPEN
    ) -> None:
        read_any_header_name()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            client_id=client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
            request_timeout_ms=round(TIMEOUT * 1000),
            **security,
        )
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        await self._consumer.start()

    async def stop(self) -> None:
        """End. It holds nothing, so nothing is lost where Kafka does not let it go in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._consumer.stop()

    async def bounds(self, topics: Sequence[str], partition: int) -> dict[str, Bounds]:
        """First and next offset of each topic."""
        tps = [TopicPartition(topic, partition) for topic in topics]
        async with self._lock:
            try:
                async with asyncio.timeout(TIMEOUT):
                    starts = await self._consumer.beginning_offsets(tps)
                    ends = await self._consumer.end_offsets(tps)
            except (KafkaError, TimeoutError) as error:
                raise LogUnavailable(f"Kafka does not tell its offsets: {error!r}") from error
        return {tp.topic: Bounds(starts[tp], ends[tp]) for tp in tps}

    async def topics(self) -> set[str]:
        """All topics that we may see."""
        try:
            async with asyncio.timeout(TIMEOUT):
                found: set[str] = await self._consumer.topics()
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(f"Kafka does not tell its topics: {error!r}") from error
        return found

    async def record_at(self, topic: str, partition: int, offset: int) -> LogRecord | None:
        """The record at an offset, or None where it was compacted away."""
        tp = TopicPartition(topic, partition)
        async with self._lock:
            self._consumer.assign([tp])
            self._consumer.seek(tp, offset)
            try:
                async with asyncio.timeout(TIMEOUT / 2):
                    found = await self._consumer.getone(tp)
            except TimeoutError:
                return None  # nothing but markers from there on
            except KafkaError as error:
                raise LogUnavailable(f"Kafka does not give {tp} at {offset}: {error!r}") from error
        return log_records(topic, partition, [found])[0] if found.offset == offset else None
