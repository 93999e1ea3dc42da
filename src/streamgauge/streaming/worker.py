"""A worker: a member of the consumer group that runs the partition numbers it is given."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError

from streamgauge.access.kafka_refusal import kafka_refusal
from streamgauge.access.rights import missing_right
from streamgauge.processing import PartitionProcessor
from streamgauge.state.base import CheckpointStore
from streamgauge.streaming.app import build_app
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.faust_log import FaustLog
from streamgauge.streaming.idle_clock import IdleClocks
from streamgauge.streaming.log import LogUnavailable
from streamgauge.streaming.partition import PartitionWorker
from streamgauge.streaming.probe import LogProbe
from streamgauge.streaming.publisher import KafkaPublisher
from streamgauge.streaming.snapshot_log import KafkaSnapshotLog, SnapshotLog
from streamgauge.streaming.telemetry import WorkerTelemetry
from streamgauge.streaming.watchdog import Progress, Watchdog

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
BROKER_CHECK_SECONDS = 5.0


class WorkerError(Exception):
    """The worker can't go on; the message says why and what to do."""


class Worker:
    """Wires Faust, the store and the partition workers together. ``run`` once."""

    def __init__(
        self,
        config: WorkerConfig,
        *,
        processor_factory: Callable[[int], PartitionProcessor],
        store: CheckpointStore,
        clock: Callable[[], float] = time.time,
        telemetry: WorkerTelemetry | None = None,
    ) -> None:
        self.config = config
        self.telemetry = telemetry or WorkerTelemetry()
        self._factory = processor_factory
        self._store = store
        self._clock = clock
        self._partitions: dict[int, PartitionWorker] = {}
        self._publisher = KafkaPublisher(
            config.bootstrap_servers,
            f"{config.service}-out",
            telemetry=self.telemetry,
            security=config.security,
        )
        self._probe = LogProbe(
            config.bootstrap_servers, f"{config.service}-probe", security=config.security
        )
        self._snapshots: SnapshotLog | None = None
        self._app: Any = None
        self._beaten = time.monotonic()
        self._broker_seen = time.monotonic()
        #: Since when there was no Kafka at the start.
        self._no_broker_since: float | None = None
        self._idle_clocks = IdleClocks(config)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Raises ``WorkerError`` where that is impossible."""
        async with contextlib.AsyncExitStack() as stack:
            data = stack.enter_context(tempfile.TemporaryDirectory(prefix="streamgauge-"))
            stack.push_async_callback(self._publisher.stop)
            stack.push_async_callback(self._probe.stop)
            for part in (self._publisher, self._probe):
                if not await self._connect(part, stop):
                    return
            if not await self._topics_there(stop):
                return
            self._snapshots = await self._snapshot_log(stop)
            if stop.is_set():
                return
            self._app = build_app(self.config, owner=self, take=self._take, data=Path(data))
            self._app.on_partitions_assigned.connect(self._on_assigned)
            self._app.on_partitions_revoked.connect(self._on_revoked)
            watchdog = Watchdog(self.config.watchdog_seconds, self._progress, lambda: self._beaten)
            watchdog.start()
            stack.callback(watchdog.stop)
            await self._work(stop)

    # -- what Faust's consumer asks ------------------------------------------------------------

    def position(self, topic: str, partition: int) -> int | None:
        """Where to read on; None while the partition is not loaded."""
        worker = self._partitions.get(partition)
        return worker.position(topic) if worker else None

    def _take(self, chunk: Chunk) -> None:
        if worker := self._partitions.get(chunk.partition):
            worker.feed(chunk)

    # -- rebalances ----------------------------------------------------------------------------

    async def _on_assigned(self, app: Any, assigned: Iterable[Any], **_: Any) -> None:
        generation = app.consumer_generation_id
        self.telemetry.rebalances += 1
        self.telemetry.generation = generation
        await self._drain(list(self._partitions), 0.0)
        held = defaultdict(set)
        for tp in assigned:
            held[tp.partition].add(tp.topic)
        self._idle_clocks.keep(held)
        for number, topics in sorted(held.items()):
            if topics != set(self.config.topics):
                # A rolling upgrade that adds a topic: others don't subscribe to it yet.
                logger.warning("partition %d waits: only %s are ours", number, sorted(topics))
                continue
            self._partitions[number] = self._partition(number, generation)
            self._partitions[number].start()
        self._no_broker_since = None
        logger.info("generation %d: partitions %s", generation, sorted(self._partitions))

    async def _on_revoked(self, _app: Any, revoked: Iterable[Any], **_: Any) -> None:
        await self._drain({tp.partition for tp in revoked}, self.config.revoke_seconds)

    def _partition(self, number: int, generation: int) -> PartitionWorker:
        return PartitionWorker(
            number,
            generation=generation,
            config=self.config,
            store=self._store,
            log=FaustLog(
                number, consumer=self._app.consumer, probe=self._probe, config=self.config
            ),
            snapshots=self._snapshots,
            publisher=self._publisher,
            processor_factory=self._factory,
            clock=self._clock,
            telemetry=self.telemetry,
            idle=self._idle_clocks.of(number, heard=self._no_broker_since),
        )

    async def _drain(self, numbers: Iterable[int], deadline: float) -> None:
        gone = [self._partitions[n] for n in numbers if n in self._partitions]
        await asyncio.gather(*(worker.drain(deadline) for worker in gone))
        for worker in gone:
            self._partitions.pop(worker.number, None)

    # -- from start to stop --------------------------------------------------------------------

    async def _connect(self, part: KafkaPublisher | LogProbe, stop: asyncio.Event) -> bool:
        pause = 0.2
        while not stop.is_set():
            try:
                await part.start()
                return True
            except KafkaConnectionError as error:
                refusal = await kafka_refusal(self.config.bootstrap_servers, self.config.security)
                if refusal is not None:
                    raise WorkerError(str(refusal)) from error
                self._no_broker_since = self._no_broker_since or time.monotonic()
                logger.warning(
                    "no Kafka at %s; is it running, and is the address right? Next try in %.1f s",
                    self.config.bootstrap_servers,
                    pause,
                )
            except KafkaError as error:
                raise WorkerError(_said("Kafka does not serve us", error)) from error
            await _wait(stop, pause)
            pause = min(pause * 2, 5.0)
        return False

    async def _topics_there(self, stop: asyncio.Event) -> bool:
        """Wait until all source topics exist; refuse unequal partition counts."""
        while not stop.is_set():
            found = await asyncio.gather(*(self._count(topic) for topic in self.config.topics))
            counts = {topic: n for topic, n in zip(self.config.topics, found, strict=True) if n}
            missing = [topic for topic in self.config.topics if topic not in counts]
            if not missing:
                if len(set(counts.values())) > 1:
                    raise WorkerError(
                        f"source topics have unequal partition counts: {counts}. The same number"
                        " of all topics goes to one worker, so give them all the same count"
                    )
                return True
            logger.warning("waiting for topics that don't exist yet: %s", ", ".join(missing))
            await _wait(stop, 1.0)
        return False

    async def _snapshot_log(self, stop: asyncio.Event) -> SnapshotLog | None:
        """Where snapshots go; None where there is no topic for them."""
        topic = self.config.snapshot_topic
        while not stop.is_set():
            # An outage must not pass for a missing topic: without it, lost state stays lost.
            with contextlib.suppress(LogUnavailable):
                if topic not in await self._probe.topics():
                    logger.warning(
                        "there is no topic %s, so no snapshots: where Redis loses everything, the"
                        " state is lost. Create it (python -m services.stack.topics), then start"
                        " this worker again",
                        topic,
                    )
                    return None
                if count := await self._count(topic):
                    return KafkaSnapshotLog(
                        self.config.bootstrap_servers,
                        f"{self.config.service}-snapshots",
                        topic=topic,
                        partitions=count,
                        publisher=self._publisher,
                        security=self.config.security,
                    )
            logger.warning("Kafka does not tell about topic %s; next try in 1 s", topic)
            await _wait(stop, 1.0)
        return None

    async def _count(self, topic: str) -> int:
        """Partitions of a topic; 0 where there is none. Raises ``WorkerError`` without a right."""
        try:
            async with asyncio.timeout(3.0):
                return len(await self._publisher.partitions_for(topic))
        except TopicAuthorizationFailedError as error:
            raise WorkerError(str(missing_right(error, topic))) from error
        except (KafkaError, TimeoutError):
            return 0

    async def _work(self, stop: asyncio.Event) -> None:
        starting = asyncio.create_task(self._app.start())
        stopping = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(self._watch(starting))
        asking = asyncio.create_task(self._ask_broker())
        try:
            await asyncio.wait([stopping, watching], return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            # First ours, then Faust's: a last checkpoint needs the membership.
            await self._drain(list(self._partitions), self.config.stop_seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.config.stop_seconds):
                    await self._app.stop()
            tasks = (starting, stopping, watching, asking)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, starting: asyncio.Task[Any]) -> None:
        """Beat, measure the loop's lag, and end the worker where a part of it has failed."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._beaten = time.monotonic()
            self.telemetry.event_loop_lag_seconds = self._beaten - before - BEAT_SECONDS
            for worker in self._partitions.values():
                worker.report()
                if worker.failure is not None:
                    raise WorkerError(f"partition {worker.number} failed") from worker.failure
            if starting.done() and (failure := starting.exception()) is not None:
                raise WorkerError(_said("Faust did not start", failure)) from failure
            consumer = self._app.consumer
            crash = self._app.crash_reason or consumer.crash_reason or consumer.denied
            if crash is not None:
                raise WorkerError(_said("Faust's consumer failed", crash)) from crash

    async def _ask_broker(self) -> None:
        """Without an answering broker nothing can move, and the watchdog must not bite."""
        while True:
            with contextlib.suppress(LogUnavailable):
                await self._probe.bounds(self.config.topics[:1], 0)
                self._broker_seen = time.monotonic()
            await asyncio.sleep(BROKER_CHECK_SECONDS)

    def _progress(self) -> Mapping[int, Progress]:
        broker = time.monotonic() - self._broker_seen < 3 * BROKER_CHECK_SECONDS
        progress = {}
        for number, worker in list(self._partitions.items()):
            telemetry = self.telemetry.partition(number)
            waits = worker.state in ("paused", "refused")
            behind = broker and not waits and any(telemetry.lag_records.values())
            progress[number] = Progress(tuple(telemetry.positions.items()), behind)
        return progress


async def run_worker(
    config: WorkerConfig,
    *,
    processor_factory: Callable[[int], PartitionProcessor],
    store: CheckpointStore,
    clock: Callable[[], float] = time.time,
    telemetry: WorkerTelemetry | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run a worker until ``stop`` is set, or until SIGTERM or SIGINT where none is given.

    The store stays the caller's to close.
    """
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    worker = Worker(
        config, processor_factory=processor_factory, store=store, clock=clock, telemetry=telemetry
    )
    await worker.run(stop)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _said(what: str, failure: BaseException) -> str:
    return f"{what}: {missing_right(failure) or repr(failure)}"
