"""Following a topic with a plain consumer: alone, or as a member of a group."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from streamgauge_client.since import Since
from streamgauge_client.throttle import Throttle

logger = logging.getLogger(__name__)

#: Seconds for one question to a broker. Short, so that an interrupt is not held up.
_ASK_TIMEOUT = 2.0
#: Seconds between two looks for partitions: while there are none, and afterwards.
_LOOK_AGAIN = 1.0
_LOOK_FOR_MORE = 60.0


class Follower(Protocol):
    """Gives the records of a topic one by one."""

    def poll(self, timeout: float) -> Any | None:
        """The next confluent message without an error, or None after ``timeout`` seconds."""

    def settle(self, handled: bool) -> None:
        """Say what became of the last record; the next poll says that it was handled."""

    def positions(self) -> dict[int, int]:
        """The next offset of each partition that was read."""

    def close(self) -> None:
        """Give up the connection."""


class LogFollower:
    """Assigns all partitions itself: no group, so no three seconds of joining.

    A topic that is not there yet is waited for, and then read from its beginning.
    """

    def __init__(
        self, bootstrap_servers: str, topic: str, *, since: Since, options: Mapping[str, Any]
    ) -> None:
        self._consumer = _consumer(
            bootstrap_servers,
            {**options, "group.id": f"streamgauge-{uuid.uuid4().hex}", "enable.auto.commit": False},
        )
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._since = since
        self._not_before = since if isinstance(since, float) else 0.0
        self._next: dict[int, int] = {}
        self._was_missing = False
        self._look_at = 0.0
        self._warning = Throttle()
        self._look()

    def poll(self, timeout: float) -> Any | None:
        if time.monotonic() >= self._look_at:
            self._look()
        message = _received(self._consumer.poll(timeout), self._warning)
        if message is None:
            return None
        self._next[message.partition()] = message.offset() + 1
        return message if message.timestamp()[1] >= self._not_before * 1000 else None

    def settle(self, handled: bool) -> None:
        """Nothing: there is no group that would remember it."""

    def positions(self) -> dict[int, int]:
        return dict(self._next)

    def close(self) -> None:
        self._consumer.close()

    def _look(self) -> None:
        """Assign partitions that are new; log what is missing."""
        from confluent_kafka import KafkaException, TopicPartition

        try:
            found = self._consumer.list_topics(self._topic, timeout=_ASK_TIMEOUT)
            partitions = sorted(found.topics[self._topic].partitions)
            new = [partition for partition in partitions if partition not in self._next]
            starts = {partition: self._start(partition) for partition in new}
        except KafkaException as error:
            self._look_at = time.monotonic() + _LOOK_AGAIN
            if self._warning.ready():
                logger.warning(
                    "cannot reach Kafka at %s (%s); trying on",
                    self._bootstrap_servers,
                    error.args[0].str(),
                )
            return
        self._look_at = time.monotonic() + (_LOOK_FOR_MORE if partitions else _LOOK_AGAIN)
        if not partitions:
            self._was_missing = True
            if self._warning.ready():
                logger.warning(
                    "topic %s is not there yet at %s; waiting for it",
                    self._topic,
                    self._bootstrap_servers,
                )
        elif new:
            self._next.update(starts)
            # What appears later has no past that the caller wanted to skip.
            self._was_missing = True
            self._consumer.assign(
                [TopicPartition(self._topic, number, start) for number, start in self._next.items()]
            )

    def _start(self, partition: int) -> int:
        from confluent_kafka import TopicPartition

        low, high = self._consumer.get_watermark_offsets(
            TopicPartition(self._topic, partition), timeout=_ASK_TIMEOUT
        )
        if isinstance(self._since, dict):
            # Beyond the end librdkafka would begin anew, and repeat all.
            return min(max(self._since.get(partition, 0), int(low)), int(high))
        if self._since == "latest":
            return int(low if self._was_missing else high)
        if self._since == "beginning" or self._was_missing:
            return int(low)
        when = TopicPartition(self._topic, partition, int(self._not_before * 1000))
        (answer,) = self._consumer.offsets_for_times([when], timeout=_ASK_TIMEOUT)
        # "The end" is also what librdkafka's mock cluster says to any time. Reading all and
        # skipping by timestamp is right on both.
        if answer.error is not None or not low <= answer.offset < high:
            return int(low)
        return int(answer.offset)


class GroupFollower:
    """Shares a topic with the other members of a group, and begins where the group stopped.

    A record is committed when the next one is asked for, so after it was handled; or by
    ``settle``.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        *,
        group: str,
        since: Since,
        options: Mapping[str, Any],
    ) -> None:
        self._consumer = _consumer(
            bootstrap_servers,
            {
                **options,
                "group.id": group,
                "auto.offset.reset": "earliest" if since == "beginning" else "latest",
                "enable.auto.offset.store": False,
            },
        )
        self._consumer.subscribe([topic])
        self._handling: Any | None = None
        self._next: dict[int, int] = {}
        self._warning = Throttle()

    def poll(self, timeout: float) -> Any | None:
        self.settle(handled=True)
        message = self._handling = _received(self._consumer.poll(timeout), self._warning)
        if message is not None:
            self._next[message.partition()] = message.offset() + 1
        return message

    def settle(self, handled: bool) -> None:
        message, self._handling = self._handling, None
        if message is None or not handled:
            return
        from confluent_kafka import KafkaException

        try:
            self._consumer.store_offsets(message)
        except KafkaException as error:
            # Its partition went to another member meanwhile, who will get it again.
            logger.info("an alarm was handled and not committed: %s", error.args[0].str())

    def positions(self) -> dict[int, int]:
        return dict(self._next)

    def close(self) -> None:
        self._consumer.close()


def _consumer(bootstrap_servers: str, options: Mapping[str, Any]) -> Any:
    from confluent_kafka import Consumer

    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "auto.offset.reset": "earliest",
            "log_level": 2,
            **options,
        }
    )


def _received(message: Any | None, warning: Throttle) -> Any | None:
    if message is None:
        return None
    if (error := message.error()) is not None:
        if warning.ready():
            logger.warning("Kafka: %s; trying on", error.str())
        return None
    return message
