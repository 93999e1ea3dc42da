"""The log of one partition number, over Faust's consumer and the probe."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka.errors import KafkaError
from faust.types import TP

from streamgauge.processing import LogRecord
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.consumer import ChunkConsumer
from streamgauge.streaming.log import Bounds, LogUnavailable
from streamgauge.streaming.probe import LogProbe

COMMIT_SECONDS = 5.0


class FaustLog:
    """Implements ``SourceLog``."""

    def __init__(
        self, partition: int, *, consumer: ChunkConsumer, probe: LogProbe, config: WorkerConfig
    ) -> None:
        self._partition = partition
        self._consumer = consumer
        self._probe = probe
        self._config = config

    def end(self, topic: str) -> int | None:
        end: int | None = self._consumer.end(TP(topic, self._partition))
        return end

    def answered(self, topic: str) -> float | None:
        answered: float | None = self._consumer.answered(TP(topic, self._partition))
        return answered

    def partitions(self) -> int:
        # Of the group's own consumer: it has seen what it was assigned anew for.
        counts = [self._consumer.topic_partitions(topic) for topic in self._config.topics]
        return min(count or 0 for count in counts)

    async def bounds(self) -> Mapping[str, Bounds]:
        return await self._probe.bounds(self._config.topics, self._partition)

    async def record_at(self, topic: str, offset: int) -> LogRecord | None:
        return await self._probe.record_at(topic, self._partition, offset)

    async def committed(self) -> Mapping[str, int]:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                found = await self._consumer.committed(
                    [TP(topic, self._partition) for topic in self._config.topics]
                )
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailable(f"Kafka does not tell its commits: {error!r}") from error
        return {tp.topic: offset for tp, offset in found.items()}

    async def commit(self, offsets: Mapping[str, int]) -> bool:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                done: bool = await self._consumer._commit(
                    {TP(topic, self._partition): offset for topic, offset in offsets.items()}
                )
                return done
        except TimeoutError:
            return False

    async def seek(self, topic: str, offset: int) -> None:
        await self._consumer.seek(TP(topic, self._partition), offset)

    def pause(self, topic: str) -> None:
        self._consumer.pause_partitions([TP(topic, self._partition)])

    def resume(self, topic: str) -> None:
        self._consumer.resume_partitions([TP(topic, self._partition)])
