"""Numbers about a worker, for its service to expose. Plain fields, written by one thread."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class PartitionTelemetry:
    """One partition number. Times are of ``time.monotonic``.

    Positions and counts are as processed; what is durable is in the store.
    """

    state: str = "unassigned"
    reason: str = ""
    positions: Mapping[str, int] = field(default_factory=dict)
    lag_records: dict[str, int] = field(default_factory=dict)
    #: Broker's timestamp of the next record to take; None where all are taken.
    next_timestamp: float | None = None
    #: Broker's timestamp of the newest record that was taken.
    newest_timestamp: float | None = None
    #: Next offsets by topic, in the store and in Kafka.
    durable: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)
    log_time: float | None = None
    dirty_since: float | None = None
    #: Since when something has changed that is in no snapshot.
    unsaved_since: float | None = None
    outbox_entries: int = 0
    outbox_since: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    holes: int = 0
    #: Positions advanced minus what became of the records: anything but 0 is a defect.
    conservation_difference: int = 0

    def checkpoint_age(self) -> float:
        """Seconds for which the oldest change has waited to be durable."""
        return 0.0 if self.dirty_since is None else time.monotonic() - self.dirty_since

    def snapshot_age(self) -> float:
        """Seconds for which the oldest change has been in no snapshot."""
        return 0.0 if self.unsaved_since is None else time.monotonic() - self.unsaved_since

    def commit_ahead(self) -> dict[str, int]:
        """Kafka's commit minus the checkpoint by topic; above 0 the store went back."""
        durable, committed = self.durable, self.committed
        return {topic: committed[topic] - durable[topic] for topic in committed.keys() & durable}

    def outbox_age(self) -> float:
        """Seconds for which the oldest alarm has waited to leave."""
        return 0.0 if self.outbox_since is None else time.monotonic() - self.outbox_since


@dataclass(slots=True)
class WorkerTelemetry:
    """One worker. Counters only grow."""

    #: By result: ok, fenced, conflict, ambiguous, unavailable.
    checkpoints: Counter[str] = field(default_factory=Counter)
    #: Seconds and bytes of the newest checkpoints; a service drains them into histograms.
    checkpoint_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    checkpoint_bytes: deque[int] = field(default_factory=lambda: deque(maxlen=10_000))
    #: Checkpoints so large that Redis serves nobody else for a while.
    large_checkpoints: int = 0
    #: (stage, seconds) of the newest steps: process takes records, checkpoint makes them durable.
    processing_seconds: deque[tuple[str, float]] = field(
        default_factory=lambda: deque(maxlen=10_000)
    )
    redis_errors: Counter[str] = field(default_factory=Counter)
    #: Chunks by what became of them: taken, stale, generation, hole.
    chunks: Counter[str] = field(default_factory=Counter)
    rebalances: int = 0
    generation: int = -1
    state_lost: int = 0
    state_restored: int = 0
    #: By result: ok, failed.
    snapshots: Counter[str] = field(default_factory=Counter)
    #: Bytes of the newest ones; a service drains them into a histogram.
    snapshot_bytes: deque[int] = field(default_factory=lambda: deque(maxlen=1_000))
    #: Alarms and model events that were dropped because an outbox was full.
    outbox_dropped: int = 0
    #: Batches of alarms or dead letters that Kafka did not take; each is tried again.
    producer_errors: int = 0
    #: Stored models that were refused, by model and reason; learners look at them.
    artefacts_refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Times that the processor raised as idle time passed.
    tick_errors: int = 0
    event_loop_lag_seconds: float = 0.0
    longest_step_seconds: float = 0.0
    partitions: dict[int, PartitionTelemetry] = field(default_factory=dict)

    def partition(self, number: int) -> PartitionTelemetry:
        return self.partitions.setdefault(number, PartitionTelemetry())

    @property
    def ready(self) -> bool:
        """Partitions are assigned, and all of them are loaded and writable."""
        held = [p for p in self.partitions.values() if p.state != "unassigned"]
        return bool(held) and all(p.state in ("running", "draining") for p in held)
