"""A worker process of which every message stays on its way until the cluster serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from streamgauge.state.base import Acquired, Checkpoint, CheckpointStore, Stored, Verdict
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.idle_clock import IdleClock
from streamgauge.streaming.partition import PartitionWorker
from streamgauge.streaming.publisher import Outgoing
from streamgauge.streaming.snapshot import Entry
from streamgauge.streaming.telemetry import WorkerTelemetry
from tests.streaming.counting import CountingProcessor
from tests.streaming.fakes import FakeLog

if TYPE_CHECKING:
    from tests.streaming.cluster import Cluster

CONFIG = WorkerConfig(bootstrap_servers="nowhere:9092", group="g", snapshot_seconds=1.0)
T = TypeVar("T")
Send = Callable[[], Coroutine[Any, Any, Any]]
#: away: refused; before: cut, not done; after: done, the answer is lost; late: cut, and it may
#: be done any time later; slow: done, and the worker stalls before it hears of it; killed and
#: dead: the worker is no more before it was sent, or after it was done.
Fault = Literal["away", "before", "after", "late", "slow", "killed", "dead"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(eq=False)
class Call:
    """Something on its way from a worker."""

    process: Process
    operation: str
    send: Send
    answer: asyncio.Future[Any]


class Process:
    """A worker process: what it holds is memory.

    Implements ``CheckpointStore``, ``Publisher`` and ``SnapshotLog``.
    """

    def __init__(self, cluster: Cluster, slot: int, generation: int) -> None:
        self.slot = slot
        self.generation = generation
        self.stalled = self.dead = False
        self.faults: list[tuple[str, Fault]] = []
        self.log = Consumer(self, cluster.log)
        self._cluster = cluster
        self.worker = PartitionWorker(
            0,
            generation=generation,
            config=CONFIG,
            store=self,
            log=self.log,
            snapshots=self,
            publisher=self,
            processor_factory=CountingProcessor,
            clock=lambda: cluster.loop.now,
            telemetry=WorkerTelemetry(),
            idle=IdleClock(CONFIG),
        )

    async def send(self, operation: str, send: Callable[[], Coroutine[Any, Any, T]]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._cluster.under_way.append(Call(self, operation, send, answer))
        return await answer

    @property
    def _store(self) -> CheckpointStore:
        return self._cluster.disk.store

    async def acquire(
        self, partition: int, *, owner: str, generation: int, first: str, force: bool = False
    ) -> Acquired:
        def send() -> Coroutine[Any, Any, Acquired]:
            return self._store.acquire(
                partition, owner=owner, generation=generation, first=first, force=force
            )

        return await self.send("acquire", send)

    async def load(self, partition: int) -> Stored:
        return await self.send("load", lambda: self._store.load(partition))

    async def holder(self, partition: int) -> tuple[str, str, str]:
        return await self.send("holder", lambda: self._store.holder(partition))

    async def checkpoint(
        self, partition: int, *, owner: str, epoch: str, write: Checkpoint
    ) -> Verdict:
        async def send() -> Verdict:
            verdict = await self._store.checkpoint(partition, owner=owner, epoch=epoch, write=write)
            if verdict == "OK":
                self._cluster.durable.update(write.outbox)
            return verdict

        return await self.send("checkpoint", send)

    async def published(self, partition: int, ids: list[str]) -> None:
        await self.send("published", lambda: self._store.published(partition, ids))

    async def publish(self, records: Sequence[Outgoing]) -> None:
        async def send() -> None:
            self._cluster.take(records)

        await self.send("publish", send)

    async def write(self, number: int, entries: Sequence[Entry]) -> None:
        # One by one: a worker may be cut between any two.
        for entry in entries:
            await self.send("snapshot", partial(self._cluster.snapshot, self, entry))

    async def read(self, number: int, prefix: bytes) -> Mapping[bytes, bytes]:
        return await self.send("restore", partial(self._cluster.snapshots.read, number, prefix))

    async def close(self) -> None:
        """The store is the cluster's."""


class Consumer(FakeLog):
    """One process's view of the shared log: fetch positions and known ends are its own."""

    def __init__(self, process: Process, shared: FakeLog) -> None:
        super().__init__(CONFIG)
        self.records, self.starts, self.ends = shared.records, shared.starts, shared.ends
        self.commits = shared.commits
        self.fetch_at = {topic: shared.commits.get(topic, 0) for topic in shared.ends}
        self._process = process
        self._shown: dict[str, int] = {}
        self._heard: dict[str, float] = {}

    def fetch(self, topic: str, limit: int, generation: int = 1) -> Chunk | None:
        if topic not in self.paused:
            self._shown[topic] = self.ends[topic]
            self._heard[topic] = self._process._cluster.loop.now
        return super().fetch(topic, limit, generation)

    def end(self, topic: str) -> int | None:
        return self._shown.get(topic)

    def answered(self, topic: str) -> float | None:
        return self._heard.get(topic)

    async def commit(self, offsets: Mapping[str, int]) -> bool:
        async def send() -> bool:
            self.member = self._process.slot == self._process._cluster.assigned and (
                self._process.generation == self._process._cluster.generation
            )
            return await super(Consumer, self).commit(offsets)

        return await self._process.send("commit", send)
