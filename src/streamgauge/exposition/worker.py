"""The Prometheus collector of a streaming worker's own telemetry."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streamgauge.clock import Clock, system_clock
from streamgauge.exposition.overflow import Overflow
from streamgauge.exposition.sheet import Sheet
from streamgauge.telemetry import Definition, Telemetry, processes, registry

#: Far above what any worker has: 1,000 partition numbers with 10 series each.
MAX_SERIES = 10_000
#: State of a partition number that this worker does not hold.
NOT_OURS = "unassigned"


class PartitionNumbers(Protocol):
    """What is read of one partition number; ``streaming.telemetry`` has it."""

    state: str
    lag_records: dict[str, int]
    next_timestamp: float | None
    newest_timestamp: float | None
    outbox_entries: int

    def checkpoint_age(self) -> float: ...

    def snapshot_age(self) -> float: ...

    def commit_ahead(self) -> Mapping[str, int]: ...

    def outbox_age(self) -> float: ...


class WorkerNumbers(Protocol):
    """What is read of a worker. ``partitions`` may change while it is read."""

    checkpoint_seconds: deque[float]
    checkpoint_bytes: deque[int]
    snapshot_bytes: deque[int]
    processing_seconds: deque[tuple[str, float]]
    large_checkpoints: int
    rebalances: int
    state_lost: int
    state_restored: int
    outbox_dropped: int
    producer_errors: int
    tick_errors: int
    event_loop_lag_seconds: float
    longest_step_seconds: float

    @property
    def checkpoints(self) -> Mapping[str, int]: ...

    @property
    def snapshots(self) -> Mapping[str, int]: ...

    @property
    def redis_errors(self) -> Mapping[str, int]: ...

    @property
    def chunks(self) -> Mapping[str, int]: ...

    @property
    def artefacts_refused(self) -> Mapping[tuple[str, str], int]: ...

    @property
    def partitions(self) -> Mapping[int, PartitionNumbers]: ...


class WorkerCollector(Collector):
    """Metrics of one worker, read when they are asked for. Register it with the process's registry.

    ``telemetry`` keeps the histograms; the worker's newest durations are moved into them.
    """

    def __init__(
        self, worker: WorkerNumbers, telemetry: Telemetry, *, clock: Clock = system_clock
    ) -> None:
        self._worker = worker
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the worker."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families of this moment."""
        with self._lock:
            yield from list(self._families())

    def drain(self) -> None:
        """Move waiting durations and sizes into their histograms."""
        self._move(self._worker.checkpoint_seconds, processes.CHECKPOINT_DURATION)
        self._move(self._worker.checkpoint_bytes, processes.CHECKPOINT_BYTES)
        self._move(self._worker.snapshot_bytes, processes.SNAPSHOT_BYTES)
        waiting = self._worker.processing_seconds
        while waiting:
            stage, seconds = waiting.popleft()
            self._telemetry.observe(processes.PROCESSING_DURATION, seconds, stage=stage)

    def _families(self) -> Iterator[Metric]:
        self.drain()
        worker, sheet = self._worker, Sheet(Overflow(), limit=MAX_SERIES)
        for result in ("ok", "fenced", "conflict"):
            sheet.count(processes.CHECKPOINTS, 0, result=result)
        for result, n in dict(worker.checkpoints).items():
            sheet.count(processes.CHECKPOINTS, n, result=result)
        for result in ("ok", "failed"):
            sheet.count(processes.SNAPSHOTS, dict(worker.snapshots).get(result, 0), result=result)
        for error in ("unavailable", "ambiguous"):
            sheet.count(processes.REDIS_ERRORS, 0, error=error)
        for error, n in dict(worker.redis_errors).items():
            sheet.count(processes.REDIS_ERRORS, n, error=error)
        for result, n in dict(worker.chunks).items():
            sheet.count(processes.CHUNKS, n, result=result)
        sheet.count(processes.LARGE_CHECKPOINTS, worker.large_checkpoints)
        sheet.count(processes.REBALANCES, worker.rebalances)
        sheet.count(processes.STATE_LOST, worker.state_lost)
        sheet.count(processes.STATE_RESTORED, worker.state_restored)
        sheet.count(processes.OUTBOX_DROPPED, worker.outbox_dropped)
        sheet.count(processes.PRODUCER_ERRORS, worker.producer_errors)
        sheet.count(processes.TICK_ERRORS, worker.tick_errors)
        for (model, reason), n in dict(worker.artefacts_refused).items():
            sheet.count(registry.REGISTRY_REJECTED, n, model=model, reason=reason)
        sheet.gauge(processes.LOOP_LAG, worker.event_loop_lag_seconds)
        sheet.gauge(processes.LONGEST_STEP, worker.longest_step_seconds)
        held = {n: p for n, p in dict(worker.partitions).items() if p.state != NOT_OURS}
        sheet.gauge(processes.ASSIGNED, len(held))
        for number, partition in sorted(held.items()):
            self._partition(sheet, str(number), partition)
        yield from sheet.families()

    def _partition(self, sheet: Sheet, number: str, partition: PartitionNumbers) -> None:
        due = partition.next_timestamp
        lag = 0.0 if due is None else max(0.0, self._clock() - due)
        sheet.gauge(processes.PARTITION_STATE, 1, partition=number, state=partition.state)
        sheet.gauge(processes.LAG_SECONDS, lag, partition=number)
        for topic, records in dict(partition.lag_records).items():
            sheet.gauge(processes.LAG_RECORDS, records, topic=topic, partition=number)
        for topic, ahead in partition.commit_ahead().items():
            sheet.gauge(processes.COMMIT_AHEAD, ahead, topic=topic, partition=number)
        if (newest := partition.newest_timestamp) is not None:
            age = max(0.0, self._clock() - newest)
            sheet.gauge(processes.EVENT_AGE, age, partition=number)
        sheet.gauge(processes.CHECKPOINT_AGE, partition.checkpoint_age(), partition=number)
        sheet.gauge(processes.SNAPSHOT_AGE, partition.snapshot_age(), partition=number)
        sheet.gauge(processes.OUTBOX_ENTRIES, partition.outbox_entries, partition=number)
        sheet.gauge(processes.OUTBOX_AGE, partition.outbox_age(), partition=number)

    def _move(self, waiting: deque[float] | deque[int], definition: Definition) -> None:
        # The worker appends from its own thread; a deque allows that.
        while waiting:
            self._telemetry.observe(definition, waiting.popleft())


def worker_registry(
    worker: WorkerNumbers, *, service: str, version: str, clock: Clock = system_clock
) -> CollectorRegistry:
    """A registry with everything about a worker process: its own numbers and the process's."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    telemetry = Telemetry(registry, service=service, version=version)
    # Before the histograms, because it fills them: the registry asks in this order.
    registry.register(WorkerCollector(worker, telemetry, clock=clock))
    telemetry.declare(processes.CHECKPOINT_DURATION)
    telemetry.declare(processes.CHECKPOINT_BYTES)
    telemetry.declare(processes.SNAPSHOT_BYTES)
    for stage in ("process", "checkpoint"):
        telemetry.declare(processes.PROCESSING_DURATION, stage=stage)
    return registry
