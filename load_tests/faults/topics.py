"""Reading topics to their ends, partition by partition."""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from streamgauge.processing import LogRecord


class Silent(RuntimeError):
    """The broker gave nothing for a long time, although there was something to give."""


def read(servers: str, topic: str) -> Iterator[LogRecord]:
    """Every record of a topic; in offset order within a partition."""
    consumer = _consumer(servers)
    try:
        numbers = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
        open_ones = set(numbers)
        while open_ones:
            messages = consumer.consume(1_000, timeout=0.05)
            if not messages and not (messages := consumer.consume(1, timeout=20)):
                raise Silent(f"{topic}, partitions {sorted(open_ones)} gave nothing for 20 s")
            for message in messages:
                if message.error():
                    open_ones.discard(message.partition())  # its end
                    continue
                number, offset = message.partition(), message.offset()
                assert number is not None and offset is not None
                headers = tuple((n, v) for n, v in message.headers() or () if isinstance(v, bytes))
                stamp = message.timestamp()[1] / 1000
                yield LogRecord(
                    topic, number, offset, stamp, message.key(), headers, message.value()
                )
    finally:
        consumer.close()


def ends(servers: str, topic: str) -> dict[int, int]:
    """The end offset of every partition that there is."""
    consumer = _consumer(servers)
    try:
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)[1]
            for number in consumer.list_topics(topic, timeout=20).topics[topic].partitions
        }
    finally:
        consumer.close()


def _consumer(servers: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "recount",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "log_level": 3,
        }
    )
