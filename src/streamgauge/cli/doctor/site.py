"""What the checks look at: Kafka's metadata and newest records, Redis and its views, read once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from streamgauge.cli.connections import (
    CONNECT_SECONDS,
    kafka_admin,
    kafka_away,
    open_consumer,
    open_redis,
)
from streamgauge.cli.failures import CommandFailed
from streamgauge.clock import Clock, system_clock

if TYPE_CHECKING:
    from streamgauge.cli.tail_lines import Seen
    from streamgauge.settings import Settings
    from streamgauge.state.reader import Snapshot

T = TypeVar("T")

#: Newest records of a partition that are looked at, and the seconds that this may take.
NEWEST = 50
SAMPLE_SECONDS = 6.0
#: What librdkafka calls its own broker in memory.
_EMBEDDED = "mockCluster"


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest records of the source topics, and the offset after each partition's last."""

    records: tuple[Seen, ...]
    ends: Mapping[tuple[str, int], int]
    #: False where time ran out before all partitions were read.
    whole: bool = True


class Site:
    """One installation. Everything is asked for once, when a check first wants it.

    What fails is remembered too, so that ten checks do not wait for the same time-out. ``known``
    are answers that need not be asked for.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = system_clock,
        known: Mapping[str, object] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._known: dict[str, Any] = dict(known or {})
        self._open = ExitStack()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    @property
    def metadata(self) -> Any:
        """Kafka's brokers, topics and partitions. Raises ``Unreachable``."""
        return self._once("metadata", self._metadata)

    @property
    def admin(self) -> Any:
        """A client that may ask for configurations."""
        return self._once("admin", lambda: kafka_admin(self.settings))

    @property
    def embedded(self) -> bool:
        """Whether the broker is librdkafka's own, which answers little."""
        return str(self.metadata.cluster_id).startswith(_EMBEDDED)

    @property
    def redis(self) -> Any:
        """A Redis that answered. Raises ``Unreachable``."""
        return self._once("redis", lambda: self._open.enter_context(open_redis(self.settings)))

    def info(self, section: str) -> dict[str, Any]:
        """A section of Redis' INFO; empty where it tells none (fakeredis, a managed one)."""
        return self._once(f"info {section}", lambda: self._info(section))

    @property
    def snapshot(self) -> Snapshot:
        """What the monitors let others see."""
        return self._once("snapshot", self._snapshot)

    @property
    def sample(self) -> Sample:
        """The newest records of predictions, labels and feedback."""
        return self._once("sample", self._sample)

    def sources(self) -> dict[str, int]:
        """The source topics that there are, and their numbers of partitions."""
        from streamgauge_client.topics import SOURCES

        found = {}
        for topic in SOURCES:
            name = topic.under(self.settings.kafka.topic_prefix)
            if (known := self.metadata.topics.get(name)) is not None and known.partitions:
                found[name] = len(known.partitions)
        return found

    def _once(self, name: str, ask: Callable[[], T]) -> T:
        if name not in self._known:
            try:
                self._known[name] = ask()
            except CommandFailed as error:
                self._known[name] = error
        found = self._known[name]
        if isinstance(found, CommandFailed):
            raise found
        answer: T = found
        return answer

    def _metadata(self) -> Any:
        from confluent_kafka import KafkaException

        try:
            return self.admin.list_topics(timeout=CONNECT_SECONDS + 2.0)
        except KafkaException as error:
            raise kafka_away(self.settings, error) from error

    def _info(self, section: str) -> dict[str, Any]:
        from redis.exceptions import ResponseError

        try:
            return dict(self.redis.info(section))
        except ResponseError:
            # fakeredis hangs up on whoever asks for what it does not know, a little later: the next
            # question would be lost.
            self.redis.connection_pool.disconnect()
            return {}

    def _snapshot(self) -> Snapshot:
        from streamgauge.state.reader import ViewReader

        return ViewReader(self.redis, group=self.settings.monitor.group, clock=self.clock).read()

    def _sample(self) -> Sample:
        from confluent_kafka import KafkaError, TopicPartition

        from streamgauge.cli.tail_lines import Seen

        deadline = time.monotonic() + SAMPLE_SECONDS
        ends: dict[tuple[str, int], int] = {}
        records: list[Seen] = []
        with open_consumer(self.settings) as consumer:
            starts = []
            for topic, count in self.sources().items():
                for partition in range(count):
                    place = TopicPartition(topic, partition)
                    bounds = _bounds(consumer, place, deadline)
                    if bounds is None:
                        continue
                    low, high = bounds
                    ends[topic, partition] = high
                    if high > low:
                        starts.append(TopicPartition(topic, partition, max(low, high - NEWEST)))
            waiting = {(each.topic, each.partition) for each in starts}
            if starts:
                consumer.assign(starts)
            while waiting and time.monotonic() < deadline:
                message = consumer.poll(0.2)
                if message is None:
                    continue
                error = message.error()
                at = (message.topic(), message.partition())
                if error is None:
                    records.append(Seen.of(message))
                    # A busy topic has no end: what was its end when we came is enough.
                    if message.offset() + 1 >= ends[at]:
                        waiting.discard(at)
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(at)
        whole = not waiting and len(ends) == sum(self.sources().values())
        return Sample(tuple(records), ends, whole)


def _bounds(consumer: Any, place: Any, deadline: float) -> tuple[int, int] | None:
    """First offset and the one after the last; None where nobody answers for it until then."""
    from confluent_kafka import KafkaError, KafkaException

    passing = {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
    }
    while time.monotonic() < deadline:
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=2.0)
            return low, high
        except KafkaException as error:
            if error.args[0].code() not in passing:
                raise
            # A new topic, a broker that has just gone or is busy: known to all a moment later.
            time.sleep(0.1)
    return None
