"""The alarms topic as a consumer group reads it: committed is only what was settled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from streamgauge.access.rights import missing_right
from streamgauge.routing.positions import Place, Positions
from streamgauge_client.throttle import Throttle

logger = logging.getLogger(__name__)

#: Seconds for one question to a broker.
_ASK_SECONDS = 5.0
_OPTIONS: dict[str, Any] = {
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 500,
    # Only for a position that the log has dropped: then all that is left is unread. Where a new
    # group begins is decided below.
    "auto.offset.reset": "earliest",
    # A notifier that was killed holds its partitions for so long.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 2_000,
    # A topic that is not there yet is looked for as often.
    "topic.metadata.refresh.interval.ms": 10_000,
    "log_level": 2,
}


class Reassigned(Exception):
    """The group gave out its partitions anew: what was read and not settled is read again."""


class AlarmLog:
    """A ``Follower`` for the client's ``AlarmSubscription``. All but ``done`` is one thread's.

    Parameters
    ----------
    group, since
        The consumer group; and where it begins when it has never read: at the ``latest``, or at
        the ``beginning``.
    on_lost
        Told, in the reading thread, which partitions are no longer ours.
    options
        librdkafka settings that win over ours.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        *,
        group: str,
        since: Literal["latest", "beginning"] = "latest",
        on_lost: Callable[[list[int]], None] = lambda _: None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        #: Whether the group has given us our share, which may be nothing.
        self.assigned = False
        self._topic = topic
        self._since = since
        self._on_lost = on_lost
        self._positions = Positions()
        self._newest = Place(0, -1)
        self._changed = False
        self._failed: KafkaException | None = None
        self._kept: Any | None = None
        self._held_back = False
        self._warning = Throttle()
        self._consumer = Consumer(
            {
                **_OPTIONS,
                **(options or {}),
                "bootstrap.servers": bootstrap_servers,
                "group.id": group,
                "error_cb": self._warn,
            }
        )
        self._was_missing = self._is_missing()
        self._consumer.subscribe(
            [topic], on_assign=self._take, on_revoke=self._give, on_lost=self._give
        )

    def poll(self, timeout: float) -> Any | None:
        """The next message, or None. Raises ``Reassigned`` once after each change."""
        self._store()
        message, self._kept = self._kept, None
        if message is None:
            message = self._consumer.poll(timeout)
        if self._failed is not None:
            raise self._failed
        if self._changed:
            # What came behind the change is of the new share.
            self._changed, self._kept = False, message
            raise Reassigned
        if message is None:
            return None
        if (error := message.error()) is not None:
            self._warn(error)
            return None
        self._newest = Place(message.partition(), message.offset())
        self._positions.read(self._newest)
        return message

    def hold(self) -> Place:
        """Keep the message that ``poll`` gave last from being committed until it is settled."""
        self._positions.hold(self._newest)
        return self._newest

    def done(self, place: Place) -> None:
        """The message at this place needs no reading again. From any thread."""
        self._positions.settle(place)

    def settle(self, handled: bool) -> None:
        """Say of the last message alone whether it needs reading again."""
        if not handled:
            self.hold()

    def positions(self) -> dict[int, int]:
        """The next offset of each partition that was read."""
        return self._positions.read_so_far()

    def hold_back(self, wanted: bool) -> None:
        """Read nothing for now (or go on), and stay in the group meanwhile."""
        if wanted != self._held_back:
            (self._consumer.pause if wanted else self._consumer.resume)(self._consumer.assignment())
            self._held_back = wanted

    def close(self) -> None:
        """Commit what was settled, and leave the group."""
        self._store()
        self._consumer.close()

    def _take(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            starts = self._starts(partitions)
        except KafkaException as error:
            # Raised by the poll around us, since what a callback raises comes out misshapen.
            self._failed = error
            return
        for partition in partitions:
            partition.offset = starts.get(partition.partition, partition.offset)
        self._consumer.assign(partitions)
        self.assigned = self._changed = True
        self._held_back = False

    def _starts(self, partitions: list[TopicPartition]) -> dict[int, int]:
        """Where to begin in partitions that the group has never read."""
        starts: dict[int, int] = {}
        for known in self._consumer.committed(partitions, timeout=_ASK_SECONDS):
            if known.error is not None:
                # Not to be taken for "never read", which would skip alarms.
                raise KafkaException(known.error)
            if known.offset < 0:
                starts[known.partition] = self._start(known.partition)
        if starts:
            # Committed at once: who is killed before the first alarm is settled would else begin
            # at the end again, behind it.
            self._consumer.commit(
                offsets=[TopicPartition(self._topic, p, offset) for p, offset in starts.items()],
                asynchronous=False,
            )
        return starts

    def _give(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._store()
        numbers = [partition.partition for partition in partitions]
        self._positions.forget(numbers)
        self._on_lost(numbers)
        self._changed = True

    def _start(self, partition: int) -> int:
        # A topic that has just been made has no leader for a moment.
        for attempt in Retrying(
            retry=retry_if_exception_type(KafkaException),
            stop=stop_after_delay(_ASK_SECONDS),
            wait=wait_fixed(0.1),
            reraise=True,
        ):
            with attempt:
                low, high = self._consumer.get_watermark_offsets(
                    TopicPartition(self._topic, partition), timeout=_ASK_SECONDS
                )
        # What appeared after we asked for it has no past that anybody wanted to skip.
        return int(low if self._since == "beginning" or self._was_missing else high)

    def _is_missing(self) -> bool:
        try:
            found = self._consumer.list_topics(self._topic, timeout=_ASK_SECONDS)
        except KafkaException as error:
            self._warn(error.args[0])
            return False
        return not found.topics[self._topic].partitions

    def _store(self) -> None:
        for partition, offset in self._positions.moved().items():
            try:
                self._consumer.store_offsets(
                    offsets=[TopicPartition(self._topic, partition, offset)]
                )
            except KafkaException as error:
                # No longer ours; whoever has it reads again from our last commit.
                logger.debug("position of partition %d is not stored: %s", partition, error)

    def _warn(self, error: KafkaError) -> None:
        if self._warning.ready():
            logger.warning("Kafka: %s; trying on", missing_right(error) or error.str())
