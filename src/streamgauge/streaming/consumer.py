"""Faust's consumer, handing on one message per topic partition and fetch instead of per record.

What Faust keeps for single records (read offsets, acknowledgements, gaps) is off for chunked
topics: the partition worker checks continuity itself, and commits after its checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, server_list
from faust.types import TP, ConsumerMessage
from mode.threads import WorkerThread

from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.drain import drain
from streamgauge.streaming.header_names import read_any_header_name

logger = logging.getLogger(__name__)

#: A fetch waits for partitions that were active when it began, so one that is resumed waits this
#: long at most.
LONGEST_POLL = 0.1


class ChunkOwner(Protocol):
    """Who takes the chunks, and knows where to read on. Found at ``app.chunk_owner``."""

    config: WorkerConfig

    def position(self, topic: str, partition: int) -> int | None:
        """Where to read on; None while that is not known, and nothing may be fetched."""


class Fetched(NamedTuple):
    """Records of one topic partition, with the fetcher's position before and after.

    Of a chunked topic they are our own, of any other aiokafka's.
    """

    records: list[Any]
    base: int | None
    end_read: int
    highwater: int | None


class ReadOffsets(defaultdict[TP, Any]):
    """Faust's read offsets, knowing nothing of chunked topics.

    Faust drops a message below its read offset, in silence. After a seek back, a stale chunk can
    have raised that again, and the true one would go.
    """

    def __init__(self, chunked: frozenset[str]) -> None:
        super().__init__(lambda: None)
        self._chunked = chunked

    def __setitem__(self, tp: TP, offset: Any) -> None:
        if tp.topic not in self._chunked:
            super().__setitem__(tp, offset)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for tp, offset in dict(*args, **kwargs).items():
            self[tp] = offset


class _ConsumerThread(WorkerThread):  # type: ignore[misc]
    def __init__(self, service: Any, **options: Any) -> None:
        super().__init__(service, **options)
        # The process ends without it: to leave a group that does not answer takes 40 seconds.
        self.daemon = True


class ChunkConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Runs aiokafka's consumer in a thread of its own, so that heartbeats go on."""

    Worker = _ConsumerThread

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        config: WorkerConfig = self.app.chunk_owner.config
        self._assignor = RangePartitionAssignor
        read_any_header_name()
        return AIOKafkaConsumer(
            bootstrap_servers=server_list(transport.url, transport.default_port),
            client_id=f"{config.service}-{config.instance_id or 'worker'}",
            group_id=config.group,
            group_instance_id=config.instance_id,
            # The same numbers of all topics to the same member; round robin does not.
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # Aborted transactions never happened.
            isolation_level="read_committed",
            max_poll_records=config.max_poll_records,
            fetch_min_bytes=config.fetch_min_bytes,
            fetch_max_wait_ms=round(config.fetch_max_wait_seconds * 1000),
            max_partition_fetch_bytes=config.max_partition_fetch_bytes,
            session_timeout_ms=round(config.session_timeout_seconds * 1000),
            heartbeat_interval_ms=round(config.heartbeat_interval_seconds * 1000),
            rebalance_timeout_ms=round(config.rebalance_timeout_seconds * 1000),
            max_poll_interval_ms=round(config.max_poll_interval_seconds * 1000),
            metadata_max_age_ms=30_000,
            **config.security,
        )

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[TP, Fetched]:
        deadline = time.monotonic() + (timeout or 0.0)
        while True:
            # Asked without waiting, so that no seek comes between the position and its records.
            before = self._positions(consumer, active_partitions)
            fetched = await self._drain(consumer, active_partitions, max_records)
            after = self._positions(consumer, active_partitions)
            left = deadline - time.monotonic()
            if fetched or after != before or left <= 0:
                break
            waiter = consumer._fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=left)
            if not done:
                waiter.cancel()
                break
            waiter.result()  # raises where the topic is not ours to read
        records = {ensure_TP(tp): found for tp, found in fetched.items()}
        # Without a record the position can move too: over markers and aborted transactions.
        moved = {tp for tp, position in after.items() if position != before.get(tp)}
        return {
            tp: Fetched(records.get(tp, []), before.get(tp), after[tp], end_of(consumer, tp))
            for tp in (*records, *(moved - records.keys()))
            if tp in after
        }

    async def _drain(
        self, consumer: AIOKafkaConsumer, tps: set[TP], limit: int | None
    ) -> dict[Any, list[Any]]:
        if not self.consumer.flow_active:
            return {}
        fetcher, config = consumer._fetcher, self.app.chunk_owner.config
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():
            if fetcher._subscriptions.reassignment_in_progress:
                await fetcher._subscriptions.wait_for_assignment()
            return drain(fetcher, tps, limit or config.max_poll_records, chunked=config.topics)

    def _positions(self, consumer: AIOKafkaConsumer, tps: Iterable[TP]) -> dict[TP, int]:
        assignment = consumer._subscription.subscription.assignment
        if assignment is None or not assignment.active:
            return {}
        states = {
            tp: assignment.state_value(TopicPartition(*tp)) for tp in tps if tp in assignment.tps
        }
        return {tp: s.position for tp, s in states.items() if s.has_valid_position}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit, or say that it did not work. Stock Faust ends the process instead."""
        consumer = self._ensure_consumer()
        wanted = {
            TopicPartition(*tp): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if tp in self.assignment()
        }
        if not wanted:
            return False
        try:
            await consumer.commit(wanted)
        except (KafkaError, IllegalStateError) as error:
            logger.warning("Kafka did not take the commit, which is only a hint: %r", error)
            return False
        return True

    @property
    def denied(self) -> KafkaError | None:
        """A right that the group lacks: who gets no partition never polls, and never hears of it.

        Asked from another thread, which only reads.
        """
        coordinator = getattr(self._consumer, "_coordinator", None)
        pending = getattr(coordinator, "_pending_exception", None)
        return pending if isinstance(pending, GroupAuthorizationFailedError) else None

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: stock Faust's check reports stalls that are none. We have a watchdog."""


class ChunkConsumer(Consumer):  # type: ignore[misc]
    """Yields chunks for the configured topics; any other topic goes the stock way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = ReadOffsets(self.chunked)

    @property
    def owner(self) -> ChunkOwner:
        owner: ChunkOwner = self.app.chunk_owner
        return owner

    @property
    def denied(self) -> KafkaError | None:
        """What the thread's consumer was denied."""
        return self._thread.denied if self._thread is not None else None

    @property
    def chunked(self) -> frozenset[str]:
        """The topics that are handed on in chunks."""
        return frozenset(self.owner.config.topics)

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Fetch once, and yield a message per topic partition that brought something."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        active = set(self._get_active_partitions())
        if not active:
            await self.sleep(0.02)
            return
        # Before the await: a rebalance meanwhile must not stamp old records with the new one.
        generation = self.app.consumer_generation_id
        fetched = await self._getmany(active, min(timeout, LONGEST_POLL))
        if self.should_stop or not self.flow_active:
            return  # a rebalance: the positions are sought again before the flow goes on
        for tp, part in (fetched or {}).items():
            if tp.topic in self.chunked:
                yield tp, self._chunk_message(tp, part, generation)
            elif generation == self.app.consumer_generation_id:
                for record in part.records:
                    yield tp, self._to_message(tp, record)

    def _chunk_message(self, tp: TP, part: Fetched, generation: int) -> Any:
        records = part.records
        chunk = Chunk(
            tp.topic, tp.partition, records, generation, part.base, part.end_read, part.highwater
        )
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            records[0].offset if records else part.end_read,
            0.0,
            0,
            [],
            None,
            chunk,
            None,
            0,
            0,
            tp,
            # Faust would drop a chunk of another generation in silence; the worker seeks.
            generation_id=self.app.consumer_generation_id,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to where the worker is, never to Kafka's commit."""
        sought: dict[TP, int] = {}
        for tp in self.assignment():
            offset = self.owner.position(tp.topic, tp.partition)
            if tp.topic in self.chunked and offset is not None:
                await self._seek(tp, offset)
                sought[tp] = offset
        return sought

    async def _seek(self, partition: TP, offset: int) -> None:
        # In the consumer's thread: it wakes that loop's waiters.
        consumer = self._thread._ensure_consumer()

        async def seek() -> None:
            try:
                consumer.seek(TopicPartition(*partition), offset)
            except IllegalStateError as error:
                # A rebalance took it meanwhile: whoever has it now seeks.
                logger.info("no seek of what is not ours: %s", error)

        await self._thread.call_thread(seek)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume those whose position is known. Faust resumes all after a rebalance."""
        super().resume_partitions(
            {
                tp
                for tp in tps
                if tp.topic not in self.chunked
                or self.owner.position(tp.topic, tp.partition) is not None
            }
        )

    async def committed(self, tps: Iterable[TP]) -> dict[TP, int]:
        """What Kafka remembers of the group. Raises ``KafkaError``."""
        consumer = self._thread._ensure_consumer()
        offsets = {
            tp: await self._thread.call_thread(consumer.committed, TopicPartition(*tp))
            for tp in tps
        }
        return {tp: offset for tp, offset in offsets.items() if offset is not None}

    def end(self, tp: TP) -> int | None:
        """End of what may be read, as the last fetch saw it."""
        return end_of(self._thread._ensure_consumer(), tp)

    def answered(self, tp: TP) -> float | None:
        """When the broker last answered a fetch of it, also an empty one."""
        state = state_of(self._thread._ensure_consumer(), tp)
        return None if state is None or state.timestamp is None else state.timestamp / 1000.0

    async def on_stop(self) -> None:
        """Stop without a last commit: the worker has done its own."""
        self.transport._topic_waiters.clear()


def end_of(consumer: AIOKafkaConsumer, tp: TP) -> int | None:
    """The last stable offset, or the high watermark of brokers that have none."""
    state = state_of(consumer, tp)
    if state is None:
        return None
    end: int | None = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
    return end


def state_of(consumer: AIOKafkaConsumer, tp: TP) -> Any:
    """What the fetcher knows of a topic partition; None where it is not assigned."""
    assignment = consumer._subscription.subscription.assignment
    if assignment is None or tp not in assignment.tps:
        return None
    return assignment.state_value(TopicPartition(*tp))
