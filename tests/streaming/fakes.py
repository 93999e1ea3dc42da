"""A log, a publisher and a store with faults, all in memory, to drive a partition worker."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamgauge.processing import LogRecord
from streamgauge.state.base import (
    Checkpoint,
    StateTooLarge,
    StoreAmbiguous,
    StoreUnavailable,
    Verdict,
)
from streamgauge.state.memory import MemoryStore
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.idle_clock import IdleClock
from streamgauge.streaming.log import Bounds
from streamgauge.streaming.partition import PartitionWorker
from streamgauge.streaming.publisher import Outgoing, PublishFailed
from streamgauge.streaming.snapshot import Entry, Snapshot, read_back
from streamgauge.streaming.telemetry import WorkerTelemetry
from tests.streaming.counting import CountingProcessor

CONFIG = WorkerConfig(
    bootstrap_servers="nowhere:9092",
    group="g",
    checkpoint_min_seconds=0.005,
    tick_seconds=0.002,
    merge_patience_seconds=0.05,
    silence_seconds=0.1,
    settle_seconds=0.2,
    gather_seconds=0.0,
)
PREDICTIONS, LABELS = "streamgauge.predictions", "streamgauge.labels"


class FakeLog:
    """One partition number of all source topics, with a fetcher that can be sought."""

    def __init__(self, config: WorkerConfig = CONFIG) -> None:
        self.records: dict[str, list[LogRecord]] = {topic: [] for topic in config.topics}
        self.starts = dict.fromkeys(config.topics, 0)
        self.ends = dict.fromkeys(config.topics, 0)
        self.fetch_at = dict.fromkeys(config.topics, 0)
        self.paused: set[str] = set(config.topics)
        self.seeks: list[tuple[str, int]] = []
        self.commits: dict[str, int] = {}
        self.member = True
        self.numbers = 1
        #: In an outage the ends stay as they were.
        self.silent = False
        self._answered = 0.0

    def append(
        self,
        topic: str,
        n: int = 1,
        *,
        value: bytes | None = b"v",
        model: str = "m",
        skip: int = 0,
    ) -> None:
        """Add records, one every second, each ``skip`` offsets apart from the last."""
        for _ in range(n):
            offset = self.ends[topic] + skip
            record = LogRecord(topic, 0, offset, 1000.0 + offset, model.encode(), (), value)
            self.records[topic].append(record)
            self.ends[topic] = offset + 1

    def delete_before(self, topic: str, offset: int) -> None:
        self.starts[topic] = offset
        self.records[topic] = [r for r in self.records[topic] if r.offset >= offset]

    def chunk(self, topic: str, at: int, limit: int, generation: int = 1) -> Chunk:
        found = [r for r in self.records[topic] if r.offset >= at][:limit]
        end_read = found[-1].offset + 1 if found else self.ends[topic]
        return Chunk(topic, 0, tuple(found), generation, at, end_read, self.ends[topic])

    def fetch(self, topic: str, limit: int, generation: int = 1) -> Chunk | None:
        at = self.fetch_at[topic]
        if self.silent or topic in self.paused or at >= self.ends[topic]:
            return None
        chunk = self.chunk(topic, at, limit, generation)
        self.fetch_at[topic] = chunk.end_read
        return chunk

    # SourceLog

    def end(self, topic: str) -> int | None:
        return self.ends[topic]

    def answered(self, topic: str) -> float | None:
        if not self.silent:
            self._answered = time.monotonic()
        return self._answered

    def partitions(self) -> int:
        return self.numbers

    async def bounds(self) -> Mapping[str, Bounds]:
        return {topic: Bounds(self.starts[topic], self.ends[topic]) for topic in self.records}

    async def record_at(self, topic: str, offset: int) -> LogRecord | None:
        return next((r for r in self.records[topic] if r.offset == offset), None)

    async def committed(self) -> Mapping[str, int]:
        return dict(self.commits)

    async def commit(self, offsets: Mapping[str, int]) -> bool:
        if self.member:
            self.commits.update(offsets)
        return self.member

    async def seek(self, topic: str, offset: int) -> None:
        self.seeks.append((topic, offset))
        self.fetch_at[topic] = max(offset, self.starts[topic])

    def pause(self, topic: str) -> None:
        self.paused.add(topic)

    def resume(self, topic: str) -> None:
        self.paused.discard(topic)


class FakePublisher:
    """Keeps what was published; fails as often as it is told to."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.failures = 0

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.failures:
            self.failures -= 1
            raise PublishFailed("told to fail")
        self.published += records

    def of(self, topic: str) -> list[Outgoing]:
        return [r for r in self.published if r.topic == f"streamgauge.{topic}"]

    def alarm_ids(self) -> list[str]:
        """Ids of the processor's alarms, in the order in which they left."""
        models = [r for r in self.of("alarms") if r.key != b"_stream"]
        return [dict(r.headers)["ce_id"].decode() for r in models]


class FakeSnapshotLog:
    """Implements ``SnapshotLog``; keeps the newest value of every key."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        #: How many more entries Kafka takes; None for all.
        self.takes: int | None = None
        self.reads = 0

    async def write(self, number: int, entries: Sequence[Entry]) -> None:
        for key, value in entries:
            if self.takes == 0:
                raise PublishFailed("told to take no more")
            self.takes = None if self.takes is None else self.takes - 1
            self.entries[key] = value

    async def read(self, number: int, prefix: bytes) -> Mapping[bytes, bytes]:
        self.reads += 1
        return {key: value for key, value in self.entries.items() if key.startswith(prefix)}


class FaultyStore(MemoryStore):
    """A memory store whose next checkpoints fail in the ways that are given."""

    def __init__(self) -> None:
        super().__init__()
        #: away: refused; before: cut, not written; after: written, and the answer is lost;
        #: large: more than it can ever take.
        self.faults: list[str] = []
        self.past: list[Any] = []

    async def checkpoint(
        self, partition: int, *, owner: str, epoch: str, write: Checkpoint
    ) -> Verdict:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "away":
            raise StoreUnavailable("told to be away")
        if fault == "large":
            raise StateTooLarge("told to be too small")
        if fault == "before":
            raise StoreAmbiguous("cut before it was written")
        self.past.append(copy.deepcopy(self._hashes))
        verdict = await super().checkpoint(partition, owner=owner, epoch=epoch, write=write)
        if fault == "after":
            raise StoreAmbiguous("cut after it was written")
        return verdict

    def regress(self, checkpoints: int) -> None:
        """A failover that lost the last writes; the owner's acquire was not among them."""
        self._hashes = copy.deepcopy(self.past[-checkpoints])

    def wipe(self) -> None:
        self._hashes.clear()


class Rig:
    """A partition worker on fakes. ``until`` plays the fetcher meanwhile."""

    def __init__(
        self,
        *,
        log: FakeLog | None = None,
        store: FaultyStore | None = None,
        snapshots: FakeSnapshotLog | None = None,
        config: WorkerConfig = CONFIG,
    ) -> None:
        self.config = config
        self.log = log or FakeLog()
        self.store = store or FaultyStore()
        self.snapshots = snapshots or FakeSnapshotLog()
        self.publisher = FakePublisher()
        self.telemetry = WorkerTelemetry()
        self.processors: list[CountingProcessor] = []
        self.chunk_size = 100
        self.generation = 1
        self.clock = 5000.0
        self.broken_clock = False
        self.mended = False
        self.worker = self.new_worker()

    def new_worker(self) -> PartitionWorker:
        return PartitionWorker(
            0,
            generation=self.generation,
            config=self.config,
            store=self.store,
            log=self.log,
            snapshots=self.snapshots,
            publisher=self.publisher,
            processor_factory=self._processor,
            clock=lambda: self.clock,
            telemetry=self.telemetry,
            idle=IdleClock(self.config),
        )

    async def __aenter__(self) -> Rig:
        self.worker.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.worker.drain(2.0)

    def _processor(self, partition: int) -> CountingProcessor:
        self.processors.append(CountingProcessor(partition))
        self.processors[-1].broken_clock = self.broken_clock
        self.processors[-1].mended = self.mended
        return self.processors[-1]

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.telemetry, self.log.seeks)
            assert self.worker.failure is None, self.worker.failure
            for topic in self.log.records:
                if chunk := self.log.fetch(topic, self.chunk_size, self.generation):
                    self.worker.feed(chunk)
            await asyncio.sleep(0.001)

    def taken(self) -> list[Snapshot]:
        """The complete snapshots, newest first."""
        return read_back(self.snapshots.entries, self.config.group, 0, key=b"")

    def alarms_of(self, rule: str) -> int:
        """How many alarms of a rule have left."""
        return sum(f'"{rule}"'.encode() in (r.value or b"") for r in self.publisher.of("alarms"))

    async def settled(self) -> None:
        """Everything in the log is durable, and every alarm has left."""
        await self.until(
            lambda: (
                self.durable() == self.log.ends
                and self.partition.outbox_entries == 0
                and self.worker.state == "running"
            )
        )
        assert self.partition.conservation_difference == 0

    @property
    def partition(self) -> Any:
        return self.telemetry.partition(0)

    def durable(self) -> dict[str, int]:
        from streamgauge.state.positions import Positions

        position = self.store._hashes[0].position if 0 in self.store._hashes else "#0"
        stored = Positions.parse(position).offsets
        return {CONFIG.full(name): offset for name, offset in stored.items()}

    def state(self) -> dict[str, bytes]:
        return dict(self.store._hashes[0].blobs)
