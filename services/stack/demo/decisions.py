"""Reads the models topic as any team would: who was promoted, and why."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from services.stack.demo.arrivals import Arrivals
from streamgauge_client.codec import DecodeError, decode
from streamgauge_client.events import ModelEvent
from streamgauge_client.topics import MODELS


class DecisionWatch(Arrivals[ModelEvent]):
    """Model events from now on, with the time at which each one arrived (seconds since 1970)."""

    def __init__(self, servers: str, *, topic_prefix: str, security: Mapping[str, str]) -> None:
        super().__init__("demo-decisions")
        self._topic = MODELS.under(topic_prefix)
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                **security,
                "group.id": "streamgauge-demo-decisions",
                "enable.auto.commit": False,
                "log_level": 3,
            }
        )
        partitions = self._consumer.list_topics(self._topic, timeout=10).topics[self._topic]
        self._consumer.assign(
            [
                TopicPartition(self._topic, number, self._end(number))
                for number in partitions.partitions
            ]
        )

    def _end(self, number: int) -> int:
        where = TopicPartition(self._topic, number)
        end: int = self._consumer.get_watermark_offsets(where, timeout=10)[1]
        return end

    def run(self) -> None:
        try:
            while not self.stopped.is_set():
                message = self._consumer.poll(0.25)
                if message is not None and message.error() is None:
                    self._take(message.headers() or [], message.value() or b"")
        except (KafkaException, ValueError) as error:
            self.failure = error
        finally:
            self._consumer.close()

    def _take(self, headers: list[tuple[str, bytes]], value: bytes) -> None:
        try:
            event = decode(self._topic, headers, value)
        except DecodeError:
            return
        if isinstance(event, ModelEvent):
            self.keep(event)
