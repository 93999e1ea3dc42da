"""What a worker is told: where Kafka is, which group it is in, and its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamgauge.access.kafka import OPEN
from streamgauge_client.topics import (
    ALARMS,
    DEAD_LETTERS,
    DEFAULT_PREFIX,
    MODELS,
    SNAPSHOTS,
    SOURCES,
    Topic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Defaults are those of a production worker; tests shorten the times.

    ``instance_id`` is the stable name of this worker (the pod's) and makes it a static member: it
    restarts without a rebalance. The embedded broker knows no static members.
    """

    bootstrap_servers: str
    group: str
    #: How every client of ours speaks to Kafka: what ``access.kafka.aiokafka_security`` makes.
    security: Mapping[str, Any] = field(default_factory=lambda: OPEN, repr=False)
    service: str = "monitor"
    instance_id: str | None = None
    prefix: str = DEFAULT_PREFIX
    sources: tuple[Topic, ...] = SOURCES
    #: Written into ``meta``, so that a replay by other code can be told from one by the same.
    code_version: str = ""
    #: The monitor alone dead-letters; a second consumer of the same record counts it as skipped.
    dead_letters: bool = True
    #: Seals snapshots; without one the seal shows damage, not forgery.
    seal_key: bytes = field(default=b"", repr=False)
    #: Above this share of refused records in a minute, or so many in a row, an alarm is raised.
    max_invalid_ratio: float = 0.1
    max_consecutive_invalid: int = 1_000
    #: Then stand still instead of going on, until a person has decided.
    stop_on_invalid: bool = False

    checkpoint_min_seconds: float = 0.5
    checkpoint_max_seconds: float = 5.0
    checkpoint_bytes_per_second: int = 2 * 1024 * 1024
    #: Between snapshots of one partition number.
    snapshot_seconds: float = 300.0
    tick_seconds: float = 0.25
    #: How far behind the clock idle time stays, for records that are still under way.
    clock_lag_seconds: float = 1.0
    #: How long the broker may be silent before that is an outage, in which no idle time passes.
    silence_seconds: float = 2.0
    #: The longest time after an outage for which producers may still send what they held back.
    settle_seconds: float = 15.0
    #: How long records wait for another topic's that must exist and do not come.
    merge_patience_seconds: float = 2.0
    step_seconds: float = 0.25
    max_step_records: int = 5000
    #: Bytes of one topic partition held in memory before its fetching pauses.
    max_buffer_bytes: int = 8 * 1024 * 1024
    #: Alarms and model events of one partition number that wait for Kafka, some 4 kB each.
    max_outbox_entries: int = 5_000
    revoke_seconds: float = 3.0
    stop_seconds: float = 4.0
    watchdog_seconds: float = 30.0

    max_poll_records: int = 5000
    fetch_min_bytes: int = 64 * 1024
    fetch_max_wait_seconds: float = 0.05
    #: Rest after a step that found little, so that the next one finds more.
    gather_seconds: float = 0.1
    #: A step's worth: the next fetch of a partition begins when the last one is used up, and with
    #: a quarter of it a tenth of the time went into waiting for the broker.
    max_partition_fetch_bytes: int = 4 * 1024 * 1024
    session_timeout_seconds: float = 10.0
    heartbeat_interval_seconds: float = 3.0
    rebalance_timeout_seconds: float = 20.0
    max_poll_interval_seconds: float = 60.0

    def full(self, name: str) -> str:
        """A topic's name with the prefix."""
        return f"{self.prefix}.{name}"

    @property
    def names(self) -> tuple[str, ...]:
        """The source topics without prefix, in the order in which equal timestamps are taken."""
        return tuple(topic.name for topic in self.sources)

    @property
    def topics(self) -> tuple[str, ...]:
        """The source topics with prefix."""
        return tuple(self.full(name) for name in self.names)

    @property
    def alarms(self) -> str:
        return self.full(ALARMS.name)

    @property
    def models(self) -> str:
        return self.full(MODELS.name)

    @property
    def dead_letter_topic(self) -> str:
        return self.full(DEAD_LETTERS.name)

    @property
    def snapshot_topic(self) -> str:
        return self.full(SNAPSHOTS.name)
