"""Telemetry that a process keeps by itself: durations, sizes, states of its connections."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = tuple(4.0**power * 1024 for power in range(9))

BUILD_INFO = Definition(
    "build_info", "gauge", "Always 1; which version runs.", ("service", "version"), exposer="any"
)
PROCESSING_DURATION = Definition(
    "processing_duration_seconds",
    "histogram",
    "Time of one chunk's way through a stage (decode, process, dead_letters, checkpoint, publish).",
    ("stage",),
    unit="seconds",
    exposer="worker",
    buckets=SHORT,
)
EVENT_AGE = Definition(
    "event_age_seconds",
    "histogram",
    "Time from the broker's timestamp of a chunk's last record until its state was durable.",
    unit="seconds",
    exposer="worker",
    buckets=(0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
)
CHUNK_RECORDS = Definition(
    "chunk_records",
    "histogram",
    "Records that came in one chunk.",
    ("topic",),
    exposer="worker",
    buckets=(1, 10, 100, 500, 1000, 2500, 5000, 10000),
)
CHECKPOINT_DURATION = Definition(
    "checkpoint_duration_seconds",
    "histogram",
    "Time of one compare-and-set.",
    unit="seconds",
    exposer="worker",
    buckets=SHORT,
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
CHECKPOINT_PENDING = Definition(
    "checkpoint_pending_seconds",
    "gauge",
    "Age of the oldest change that is not yet durable; 0 when there is none.",
    ("partition",),
    unit="seconds",
    exposer="worker",
)
STATE_LOST = Definition(
    "state_lost",
    "counter",
    "Partitions that had to begin anew because their state was gone or unreadable.",
    exposer="worker",
)
DROPPED = Definition(
    "dropped",
    "counter",
    "Records given up on purpose, by reason. Stays 0.",
    ("reason",),
    exposer="worker",
)
ASSIGNED = Definition(
    "assigned_partitions", "gauge", "Partition numbers that this process owns.", exposer="worker"
)
REBALANCES = Definition(
    "rebalances", "counter", "Times that partitions were assigned.", exposer="worker"
)
SEEKS = Definition(
    "seeks",
    "counter",
    "Times that reading was put back to the durable position, by reason.",
    ("reason",),
    exposer="worker",
)
LOOP_LAG = Definition(
    "event_loop_lag_seconds",
    "gauge",
    "How late the event loop woke in the last second.",
    unit="seconds",
    exposer="worker",
)
REDIS_ERRORS = Definition(
    "redis_errors", "counter", "Failed calls to Redis, by class.", ("error",), exposer="any"
)
PRODUCER_ERRORS = Definition(
    "producer_errors", "counter", "Failed sends to Kafka, by topic.", ("topic",), exposer="worker"
)
ALARMS_PUBLISHED = Definition(
    "alarms_published",
    "counter",
    "Outbox entries that Kafka has acknowledged.",
    ("topic",),
    exposer="worker",
)

PROCESSES = (
    BUILD_INFO,
    PROCESSING_DURATION,
    EVENT_AGE,
    CHUNK_RECORDS,
    CHECKPOINT_DURATION,
    CHECKPOINT_BYTES,
    CHECKPOINTS,
    CHECKPOINT_PENDING,
    STATE_LOST,
    DROPPED,
    ASSIGNED,
    REBALANCES,
    SEEKS,
    LOOP_LAG,
    REDIS_ERRORS,
    PRODUCER_ERRORS,
    ALARMS_PUBLISHED,
)
