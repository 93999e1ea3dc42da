"""Telemetry that a process keeps by itself: durations, sizes, states of its connections."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = tuple(4.0**power * 1024 for power in range(9))
PARTITION = ("partition",)

BUILD_INFO = Definition(
    "build_info", "gauge", "Always 1; which version runs.", ("service", "version"), exposer="any"
)
REDIS_ERRORS = Definition(
    "redis_errors", "counter", "Failed calls to Redis, by class.", ("error",), exposer="any"
)
#: The usual classes, shown as 0 at the start: a rate needs the 0 before the first one.
REDIS_FAILURES = ("ConnectionError", "TimeoutError")
PARTITION_STATE = Definition(
    "partition_state_info",
    "gauge",
    "Always 1; what the worker does with a partition number now.",
    ("partition", "state"),
    exposer="worker",
)
LAG_RECORDS = Definition(
    "consumer_lag_records",
    "gauge",
    "Records in the log that were not yet taken.",
    ("topic", "partition"),
    exposer="worker",
)
LAG_SECONDS = Definition(
    "consumer_lag_seconds",
    "gauge",
    "Age of the next record to take; 0 where all are taken.",
    PARTITION,
    unit="seconds",
    exposer="worker",
)
EVENT_AGE = Definition(
    "event_age_seconds",
    "gauge",
    "Age of the newest record that was taken, by the broker's timestamp.",
    PARTITION,
    unit="seconds",
    exposer="worker",
)
COMMIT_AHEAD = Definition(
    "commit_ahead_records",
    "gauge",
    "Kafka's commit minus the checkpoint; above 0, Redis has gone back.",
    ("topic", "partition"),
    exposer="worker",
)
PROCESSING_DURATION = Definition(
    "processing_duration_seconds",
    "histogram",
    "Time of one step, by stage: process takes records, checkpoint makes them durable.",
    ("stage",),
    unit="seconds",
    exposer="worker",
    buckets=SECONDS,
)
CHECKPOINT_AGE = Definition(
    "checkpoint_age_seconds",
    "gauge",
    "Age of the oldest change that is not yet durable; 0 where there is none.",
    PARTITION,
    unit="seconds",
    exposer="worker",
)
CHECKPOINT_DURATION = Definition(
    "checkpoint_duration_seconds",
    "histogram",
    "Time of one compare-and-set.",
    unit="seconds",
    exposer="worker",
    buckets=SECONDS,
)
CHECKPOINT_BYTES = Definition(
    "checkpoint_bytes",
    "histogram",
    "Bytes of one compare-and-set.",
    unit="bytes",
    exposer="worker",
    buckets=SIZES,
)
CHECKPOINTS = Definition(
    "checkpoints",
    "counter",
    "Checkpoints tried, by result (ok, fenced, conflict, ambiguous, unavailable).",
    ("result",),
    exposer="worker",
)
LARGE_CHECKPOINTS = Definition(
    "large_checkpoints",
    "counter",
    "Checkpoints above 64 MiB, for which Redis stands still.",
    exposer="worker",
)
SNAPSHOTS = Definition(
    "snapshots",
    "counter",
    "Snapshots of state for the loss of Redis, by result (ok, failed).",
    ("result",),
    exposer="worker",
)
SNAPSHOT_BYTES = Definition(
    "snapshot_bytes",
    "histogram",
    "Bytes of one snapshot.",
    unit="bytes",
    exposer="worker",
    buckets=SIZES,
)
SNAPSHOT_AGE = Definition(
    "snapshot_age_seconds",
    "gauge",
    "Age of the oldest change that is in no snapshot; 0 where there is none.",
    PARTITION,
    unit="seconds",
    exposer="worker",
)
OUTBOX_ENTRIES = Definition(
    "outbox_entries",
    "gauge",
    "Alarms that are durable and not yet on their topic.",
    PARTITION,
    exposer="worker",
)
OUTBOX_DROPPED = Definition(
    "outbox_dropped",
    "counter",
    "Alarms dropped because Kafka took none for so long that the outbox was full. Anything pages.",
    exposer="worker",
)
OUTBOX_AGE = Definition(
    "outbox_age_seconds",
    "gauge",
    "Age of the oldest alarm in the outbox; 0 where it is empty.",
    PARTITION,
    unit="seconds",
    exposer="worker",
)
CHUNKS = Definition(
    "chunks",
    "counter",
    "Chunks of records, by what became of them (take, stale, generation, hole).",
    ("result",),
    exposer="worker",
)
STATE_LOST = Definition(
    "state_lost",
    "counter",
    "Partitions that had to begin anew because their state was gone or unreadable.",
    exposer="worker",
)
STATE_RESTORED = Definition(
    "state_restored",
    "counter",
    "Partitions whose state was gone from Redis, and came back from a snapshot.",
    exposer="worker",
)
ASSIGNED = Definition(
    "assigned_partitions", "gauge", "Partition numbers that this process owns.", exposer="worker"
)
REBALANCES = Definition(
    "rebalances", "counter", "Times that partitions were assigned.", exposer="worker"
)
LOOP_LAG = Definition(
    "event_loop_lag_seconds",
    "gauge",
    "How late the event loop last woke.",
    unit="seconds",
    exposer="worker",
)
LONGEST_STEP = Definition(
    "longest_step_seconds",
    "gauge",
    "The longest time for which one step held the event loop.",
    unit="seconds",
    exposer="worker",
)
PRODUCER_ERRORS = Definition(
    "producer_errors",
    "counter",
    "Batches of records that Kafka did not take; each is tried again.",
    exposer="worker",
)
TICK_ERRORS = Definition(
    "tick_errors",
    "counter",
    "Times that a processor raised as idle time passed; a defect.",
    exposer="worker",
)

PROCESSES = (
    BUILD_INFO,
    REDIS_ERRORS,
    PARTITION_STATE,
    LAG_RECORDS,
    LAG_SECONDS,
    EVENT_AGE,
    COMMIT_AHEAD,
    PROCESSING_DURATION,
    CHECKPOINT_AGE,
    CHECKPOINT_DURATION,
    CHECKPOINT_BYTES,
    CHECKPOINTS,
    LARGE_CHECKPOINTS,
    SNAPSHOTS,
    SNAPSHOT_BYTES,
    SNAPSHOT_AGE,
    OUTBOX_ENTRIES,
    OUTBOX_AGE,
    OUTBOX_DROPPED,
    CHUNKS,
    STATE_LOST,
    STATE_RESTORED,
    ASSIGNED,
    REBALANCES,
    LOOP_LAG,
    LONGEST_STEP,
    PRODUCER_ERRORS,
    TICK_ERRORS,
)
