"""Acknowledged means on the log; anything else is told within a bounded time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from services.stack.broker import EmbeddedBroker
from services.stack.ports import free_port
from streamgauge.ingest.appender import Appender, Outgoing
from streamgauge_client.keys import murmur2

TOPIC = "streamgauge.predictions"


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with EmbeddedBroker([TOPIC]) as running:
        yield running.bootstrap_servers


@pytest.fixture
async def appender(broker: str) -> AsyncIterator[Appender]:
    made = Appender(broker, ack_seconds=5.0, max_bytes=1024 * 1024)
    made.start()
    yield made
    await asyncio.to_thread(made.stop)


def outgoing(number: int) -> Outgoing:
    return Outgoing(
        TOPIC, f"model-{number}".encode(), [("ce_id", b"%d" % number)], b'{"n":%d}' % number
    )


def on_log(broker: str, count: int) -> list[tuple[int, bytes, bytes]]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "test", "log_level": 0})
    try:
        consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in range(4)])
        found = consumer.consume(count, timeout=10)
        return [(m.partition(), m.key(), m.value()) for m in found]
    finally:
        consumer.close()


async def test_what_is_acknowledged_is_on_the_log_where_java_would_put_it(
    appender: Appender, broker: str
) -> None:
    results = await appender.append([outgoing(number) for number in range(50)])
    assert results == [""] * 50
    assert appender.down == ""
    found = on_log(broker, 50)
    assert {value for _, _, value in found} == {outgoing(number).value for number in range(50)}
    for partition, key, _ in found:
        assert partition == (murmur2(key) & 0x7FFFFFFF) % 4
    assert await appender.append([]) == []


async def test_requests_that_wait_together_are_answered_each_for_itself(appender: Appender) -> None:
    results = await asyncio.gather(
        *(appender.append([outgoing(number)] * number) for number in range(20))
    )
    assert [len(each) for each in results] == list(range(20))
    assert not any(any(each) for each in results)


async def test_kafka_away_is_told_in_time() -> None:
    made = Appender(f"127.0.0.1:{free_port()}", ack_seconds=0.5, max_bytes=1024)
    made.start()
    try:
        started = time.monotonic()
        (problem,) = await made.append([outgoing(1)])
        assert time.monotonic() - started < 4
        assert problem == "MSG_TIMED_OUT"
        assert made.down
    finally:
        await asyncio.to_thread(made.stop)


async def test_a_full_queue_is_told_at_once() -> None:
    made = Appender(f"127.0.0.1:{free_port()}", ack_seconds=1.0, max_bytes=1024)
    made.start()
    try:
        large = outgoing(1)._replace(value=b"x" * 300_000)
        results = await made.append([large] * 8)
        assert "the producer's queue is full" in results
        assert "" not in results
    finally:
        await asyncio.to_thread(made.stop)
