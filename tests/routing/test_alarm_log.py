"""The alarms topic in a group, on the embedded broker: what is committed, and where it begins."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from services.stack.broker import EmbeddedBroker
from streamgauge.routing.alarm_log import AlarmLog, Reassigned
from streamgauge.routing.positions import Place, Positions
from streamgauge_client import AlarmEvent, AlarmSubscription, encode


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with EmbeddedBroker() as made:
        yield made.bootstrap_servers


@pytest.fixture
def topic(request: pytest.FixtureRequest, broker: str) -> str:
    name = f"{request.node.name}.alarms".replace("[", "-").replace("]", "-")
    Producer({"bootstrap.servers": broker}).list_topics(name, timeout=10)
    return name


def publish(broker: str, topic: str, *ids: str) -> None:
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
    for each in ids:
        alarm = AlarmEvent.model_validate(
            {
                "alarm_id": each,
                "fingerprint": "f",
                "status": "firing",
                "severity": "warning",
                "kind": "traffic",
                "scope": {},
                "model": "fraud",
                "summary": each,
            }
        )
        encoded = encode(alarm, source="/tests")
        producer.produce(topic, encoded.value, key=b"fraud", headers=encoded.headers)
    assert producer.flush(10) == 0


def assigned(log: AlarmLog) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert log.poll(0.2) is None
        except Reassigned:
            return
    raise AssertionError("the group gave out nothing")


def read(log: AlarmLog, count: int) -> list[tuple[str, Place]]:
    """The next alarms, each held until somebody settles it."""
    subscription = AlarmSubscription(log, timeout=10.0)
    return [(next(subscription).alarm_id, log.hold()) for _ in range(count)]


def committed(broker: str, topic: str, group: str) -> int:
    """The one position that is above 0, else 0."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group, "log_level": 2})
    places = [TopicPartition(topic, number) for number in range(4)]
    found: list[int] = [place.offset for place in consumer.committed(places, timeout=10)]
    consumer.close()
    return max(0, *found)


def until_committed(log: AlarmLog, broker: str, topic: str, position: int) -> None:
    deadline = time.monotonic() + 10
    while committed(broker, topic, topic) != position:
        assert time.monotonic() < deadline
        log.poll(0.1)


def test_only_what_is_settled_is_committed_in_whatever_order(broker: str, topic: str) -> None:
    # Given something that is no alarm, and three alarms that were read
    log = AlarmLog(broker, topic, group=topic)
    assigned(log)
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
    producer.produce(topic, b"{", key=b"fraud")
    assert producer.flush(10) == 0
    publish(broker, topic, "a", "b", "c")
    (_, first), (_, second), (_, third) = read(log, 3)
    # When the last and the middle one are settled
    log.done(third)
    log.done(second)
    # Then the group would begin at the first, behind what is no alarm
    until_committed(log, broker, topic, 1)
    # And when that is settled too, behind all of them, while it runs and when it ends
    log.done(first)
    until_committed(log, broker, topic, 4)
    publish(broker, topic, "d")
    ((_, last),) = read(log, 1)
    log.done(last)
    log.close()
    assert committed(broker, topic, topic) == 5


def test_a_new_group_begins_at_the_end_and_is_held_back_when_told(broker: str, topic: str) -> None:
    # Given alarms of long ago, and a group that has never read
    publish(broker, topic, "old 1", "old 2")
    log = AlarmLog(broker, topic, group=topic, since="latest")
    assigned(log)
    # Then the end is its position before it has settled anything: killed now, it misses nothing
    assert committed(broker, topic, topic) == 2
    # And when it is held back, it reads nothing
    log.hold_back(True)
    publish(broker, topic, "new")
    deadline = time.monotonic() + 0.6
    while time.monotonic() < deadline:
        assert log.poll(0.2) is None
    # Until it may go on
    log.hold_back(False)
    assert [name for name, _ in read(log, 1)] == ["new"]
    log.close()


class WithoutTopic(AlarmLog):
    """The embedded broker makes every topic that is asked for, so its absence is played."""

    def _is_missing(self) -> bool:
        return True


class WithoutAnswer(AlarmLog):
    """The broker does not say where the log begins and ends."""

    def _start(self, partition: int) -> int:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def test_where_else_a_new_group_begins(broker: str, topic: str) -> None:
    publish(broker, topic, "a", "b")
    # Given groups that join at the same time, since joining takes seconds
    whole = AlarmLog(broker, topic, group=f"{topic}-1", since="beginning")
    young = WithoutTopic(broker, topic, group=f"{topic}-2", since="latest")
    unsure = WithoutAnswer(broker, topic, group=f"{topic}-3", since="latest")
    # Then one that is to begin at the beginning does
    assigned(whole)
    assert [name for name, _ in read(whole, 2)] == ["a", "b"]
    # And one whose topic was not there: it has no past that anybody wanted to skip
    assigned(young)
    assert [name for name, _ in read(young, 2)] == ["a", "b"]
    # And one that can't know says so, and does not take the end for it
    with pytest.raises(KafkaException):
        assigned(unsure)
    for log in (whole, young, unsure):
        log.close()
    assert committed(broker, topic, f"{topic}-3") == 0


def test_a_second_reader_takes_over_what_the_first_had_not_settled(broker: str, topic: str) -> None:
    # Given a reader with one alarm settled and one not
    lost: list[int] = []
    first = AlarmLog(broker, topic, group=topic, on_lost=lost.extend)
    assigned(first)
    publish(broker, topic, "a", "b")
    (_, done), _ = read(first, 2)
    first.done(done)
    until_committed(first, broker, topic, 1)
    second = AlarmLog(broker, topic, group=topic)
    # When a second joins, and the partitions are given out anew
    found: list[Any] = []
    ready = threading.Event()

    def follow() -> None:
        while not ready.is_set():
            try:
                message = second.poll(0.1)
            except Reassigned:
                continue
            if message is not None:
                found.append(message.offset())

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not found:
            assert time.monotonic() < deadline
            try:
                message = first.poll(0.1)
            except Reassigned:
                continue
            if message is not None:
                found.append(message.offset())
    finally:
        ready.set()
        thread.join()
        first.close()
        second.close()
    # Then the first was told, and whoever has the partition reads the second alarm again
    assert sorted(set(lost)) == [0, 1, 2, 3]
    assert found == [1]


def test_positions_forget_what_is_somebody_elses() -> None:
    positions = Positions()
    for partition in (0, 1):
        positions.read(Place(partition, 5))
        positions.hold(Place(partition, 5))
    assert positions.moved() == {0: 5, 1: 5}
    positions.forget([0])
    positions.settle(Place(0, 5))
    positions.settle(Place(1, 5))
    assert positions.moved() == {1: 6}
