"""Subscribing to alarms: each once, filtered, and never ended by what is malformed."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from streamgauge_client import (
    AlarmEvent,
    AlarmSubscription,
    LabelEvent,
    alarm_reader,
    alarms,
    encode,
)
from streamgauge_client.alarm_filter import AlarmFilter
from streamgauge_client.following import LogFollower
from streamgauge_client.since import parse_since

Send = Callable[..., None]


def alarm(number: int, **fields: Any) -> AlarmEvent:
    given = {
        "alarm_id": f"alarm-{number}",
        "fingerprint": "f",
        "status": "firing",
        "severity": "warning",
        "kind": "feature_drift",
        "scope": {},
        "model": "fraud",
        "summary": f"alarm {number}",
    }
    return AlarmEvent.model_validate({**given, **fields})


class FakeMessage:
    """As much of a Kafka message as a subscription looks at."""

    def __init__(self, value: bytes, headers: Any = None, offset: int = 0) -> None:
        self._value, self._headers, self._offset = value, headers, offset

    def value(self) -> bytes:
        return self._value

    def headers(self) -> Any:
        return self._headers

    def topic(self) -> str:
        return "streamgauge.alarms"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


class FakeFollower:
    def __init__(self, messages: list[FakeMessage]) -> None:
        self._messages = iter(messages)
        self.closed = False

    def poll(self, timeout: float) -> Any | None:
        return next(self._messages, None)

    def settle(self, handled: bool) -> None:
        pass

    def positions(self) -> dict[int, int]:
        return {}

    def close(self) -> None:
        self.closed = True


def message(event: Any) -> FakeMessage:
    encoded = encode(event, source="/tests")
    return FakeMessage(encoded.value, encoded.headers)


def ids(events: list[AlarmEvent]) -> list[str]:
    return [event.alarm_id for event in events]


def subscribed(messages: list[FakeMessage], **filters: Any) -> AlarmSubscription:
    wanted = AlarmFilter.of(**filters)
    return AlarmSubscription(FakeFollower(messages), wanted=wanted, timeout=0.0)


def test_a_duplicate_is_dropped() -> None:
    found = subscribed([message(alarm(number)) for number in (1, 2, 1, 3, 2, 1)])
    assert ids(list(found)) == ["alarm-1", "alarm-2", "alarm-3"]
    assert found.duplicates == 3


def test_the_memory_for_duplicates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_reader, "MAX_REMEMBERED_IDS", 2)
    found = subscribed([message(alarm(number)) for number in (1, 2, 3, 1, 3)])
    # The oldest id was forgotten, the younger ones were not.
    assert ids(list(found)) == ["alarm-1", "alarm-2", "alarm-3", "alarm-1"]
    assert len(found._reader._seen) == 2


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"model": "fraud"}, [1, 3, 4]),
        ({"kind": "latency"}, [3]),
        ({"severity": "info"}, [1, 2, 3, 4]),
        ({"severity": "warning"}, [1, 2, 3]),
        ({"severity": "critical"}, [2]),
        ({"status": "resolved"}, [4]),
        ({"status": "acknowledged"}, [5]),
        ({"status": ["firing", "silenced", "acknowledged"], "kind": "latency"}, [3, 5]),
        ({"model": "fraud", "severity": "critical"}, []),
        ({"model": ["fraud", "churn"]}, [1, 2, 3, 4]),
        ({"kind": {"latency", "traffic"}}, [3]),
        ({"status": ("firing", "resolved"), "model": ["churn"]}, [2]),
        ({"where": lambda alarm: alarm.summary.endswith("4")}, [4]),
    ],
)
def test_filters(filters: dict[str, Any], expected: list[int]) -> None:
    messages = [
        message(alarm(1)),
        message(alarm(2, model="churn", severity="critical")),
        message(alarm(3, kind="latency")),
        message(alarm(4, status="resolved", severity="info")),
        # What somebody did about the third: nobody hears of it who did not ask.
        message(alarm(5, status="acknowledged", kind="latency")),
    ]
    assert ids(list(subscribed(messages, **filters))) == [f"alarm-{n}" for n in expected]


def test_what_is_malformed_is_counted_logged_and_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = [
        FakeMessage(b"{", offset=7),
        FakeMessage(b"\xff"),
        FakeMessage(b"{}"),
        FakeMessage(json.dumps({"alarm_id": "a@secret.example"}).encode()),
        message(LabelEvent(prediction_id="p", model="m", label=1.0)),
    ]
    found = subscribed([message(alarm(1)), *broken, message(alarm(2))])
    with caplog.at_level(logging.WARNING):
        assert ids(list(found)) == ["alarm-1", "alarm-2"]
    assert found.malformed == 5
    assert len(caplog.records) == 1 and "streamgauge.alarms[0]@7" in caplog.text
    assert "secret" not in caplog.text


def test_bare_json_is_an_alarm_too() -> None:
    value = alarm(1).model_dump_json().encode()
    assert ids(list(subscribed([FakeMessage(value)]))) == ["alarm-1"]


def test_a_closed_subscription_ends() -> None:
    follower = FakeFollower([message(alarm(1))])
    with AlarmSubscription(follower) as found:
        pass
    assert follower.closed and list(found) == []
    found.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"severity": "high"}, "info, warning, critical"),
        ({"status": "open"}, "firing, acknowledged"),
        ({"status": ["firing", "open"]}, "firing, acknowledged"),
        ({"model": []}, "leave it out for all"),
        ({"kind": ["latency", 3]}, "leave it out for all"),
        ({"where": "critical"}, "give a function"),
        ({"since": "yesterday"}, 'like "30s"'),
        ({"since": datetime(2026, 11, 21)}, "no timezone"),
        ({"since": 1_790_000_000_000}, "milliseconds"),
        ({"since": {0: -1}}, "partition: offset"),
        ({"since": {}}, "partition: offset"),
        ({"since": True}, "give"),
        ({"since": {0: 3}, "group": "g"}, "leave the group out"),
        ({"since": "1h", "group": "g"}, "leave the group out"),
    ],
    ids=str,
)
def test_a_mistake_in_the_call_says_what_is_right(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        alarms("127.0.0.1:1", **arguments)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("30s", 1_789_999_970.0),
        ("1.5h", 1_789_994_600.0),
        ("2d", 1_789_827_200.0),
        ("latest", "latest"),
        ("2026-11-21T01:00:00+01:00", 1_795_219_200.0),
        (datetime(2026, 11, 21, tzinfo=UTC), 1_795_219_200.0),
        (1_795_219_200, 1_795_219_200.0),
        ({0: 17, 3: 0}, {0: 17, 3: 0}),
    ],
    ids=str,
)
def test_since(given: Any, expected: Any) -> None:
    assert parse_since(given, now=1_790_000_000.0) == expected


def test_an_alarm_for_which_where_raises_is_given(caplog: pytest.LogCaptureFixture) -> None:
    found = subscribed([message(alarm(1)), message(alarm(2))], where=lambda alarm: 1 / 0)
    with caplog.at_level(logging.WARNING):
        assert ids(list(found)) == ["alarm-1", "alarm-2"]
    assert len(caplog.records) == 1 and "where raised" in caplog.text


def test_a_kind_that_this_version_does_not_know_is_told_and_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        found = subscribed([message(alarm(1, kind="feature_drfit"))], kind="feature_drfit")
    assert "did you mean feature_drift?" in caplog.text
    assert ids(list(found)) == ["alarm-1"]


class TestAsync:
    async def test_alarms_come_by_async_for(self) -> None:
        messages = [message(alarm(number)) for number in (1, 2, 1, 3)]
        async with subscribed(messages) as found:
            assert [one.alarm_id async for one in found] == ["alarm-1", "alarm-2", "alarm-3"]
        assert found.duplicates == 1

    async def test_cancelling_is_prompt_and_loses_nothing(self) -> None:
        # Given a poll that takes its time, and an alarm at its end
        polling, arrived = threading.Event(), threading.Event()

        class SlowFollower(FakeFollower):
            def poll(self, timeout: float) -> Any | None:
                polling.set()
                arrived.wait(10)
                return super().poll(timeout)

        found = AlarmSubscription(SlowFollower([message(alarm(1)), message(alarm(2))]), timeout=5)
        # When who waits for it gives up
        waiting = asyncio.create_task(anext(found))
        while not polling.is_set():
            await asyncio.sleep(0.001)
        waiting.cancel()
        started = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert time.monotonic() - started < 1.0 and not arrived.is_set()
        # Then the next who asks gets what came meanwhile, and all that follows
        arrived.set()
        assert ids([await anext(found), await anext(found)]) == ["alarm-1", "alarm-2"]
        await found.aclose()

    async def test_closing_waits_for_the_poll_and_ends_the_iteration(self) -> None:
        polling, go_on = threading.Event(), threading.Event()

        class SlowFollower(FakeFollower):
            within = False

            def poll(self, timeout: float) -> Any | None:
                self.within = True
                polling.set()
                go_on.wait(10)
                self.within = False
                return None

            def close(self) -> None:
                assert not self.within, "Kafka's consumer must not be closed under a poll"
                super().close()

        follower = SlowFollower([])
        found = AlarmSubscription(follower)
        waiting = asyncio.create_task(anext(found, None))
        while not polling.is_set():
            await asyncio.sleep(0.001)
        closing = asyncio.create_task(found.aclose())
        await asyncio.sleep(0.01)
        go_on.set()
        await closing
        assert await waiting is None and follower.closed

    async def test_what_the_consumer_raises_is_raised_here(self) -> None:
        class Broken(FakeFollower):
            def poll(self, timeout: float) -> Any | None:
                raise RuntimeError("fatal")

        found = AlarmSubscription(Broken([]))
        for _ in range(2):
            with pytest.raises(RuntimeError, match="fatal"):
                await anext(found)
        await found.aclose()


def test_a_signal_handler_may_close_in_the_middle_of_a_poll() -> None:
    class Interrupted(FakeFollower):
        def poll(self, timeout: float) -> Any | None:
            found.close()
            assert not self.closed
            return None

    follower = Interrupted([])
    found = AlarmSubscription(follower)
    assert list(found) == [] and follower.closed


class TestOnABroker:
    @pytest.fixture
    def send(self, broker: str, unused_prefix: str) -> Iterator[Send]:
        producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})

        def send(*events: AlarmEvent, age: float = 0.0) -> None:
            stamp = int((time.time() - age) * 1000)
            for event in events:
                encoded = encode(event, source="/tests")
                producer.produce(
                    f"{unused_prefix}.alarms",
                    value=encoded.value,
                    headers=encoded.headers,
                    key=event.model.encode(),
                    timestamp=stamp,
                )
            assert producer.flush(10) == 0

        yield send

    def test_latest_begins_at_the_call(self, broker: str, unused_prefix: str, send: Send) -> None:
        # Given an alarm before the call
        send(alarm(1))
        with alarms(broker, topic_prefix=unused_prefix, timeout=1.0) as found:
            # When others come after the call, and before the first look
            send(alarm(2), alarm(3), alarm(2))
            # Then those are given, each once
            assert ids(list(found)) == ["alarm-2", "alarm-3"]
            assert found.duplicates == 1

    def test_beginning_gives_all_partitions(
        self, broker: str, unused_prefix: str, send: Send
    ) -> None:
        send(*(alarm(number, model=f"model-{number}") for number in range(20)))
        with alarms(broker, topic_prefix=unused_prefix, since="beginning", timeout=1.0) as found:
            assert sorted(ids(list(found))) == sorted(f"alarm-{n}" for n in range(20))

    def test_a_time_gives_what_is_younger(
        self, broker: str, unused_prefix: str, send: Send
    ) -> None:
        send(alarm(1), age=7200)
        send(alarm(2), age=1800)
        send(alarm(3))
        with alarms(broker, topic_prefix=unused_prefix, since="1h", timeout=1.0) as found:
            assert ids(list(found)) == ["alarm-2", "alarm-3"]

    def test_a_point_in_time_does_too(self, broker: str, unused_prefix: str, send: Send) -> None:
        send(alarm(1), age=7200)
        send(alarm(2), age=1800)
        an_hour_ago = datetime.fromtimestamp(time.time() - 3600, UTC)
        with alarms(broker, topic_prefix=unused_prefix, since=an_hour_ago, timeout=1.0) as found:
            assert ids(list(found)) == ["alarm-2"]

    def test_offsets_go_on_where_the_positions_were(
        self, broker: str, unused_prefix: str, send: Send
    ) -> None:
        # Given a subscriber that keeps its own positions, and stops after two alarms
        send(alarm(1), alarm(2), alarm(3))
        with alarms(broker, topic_prefix=unused_prefix, since="beginning", timeout=5.0) as found:
            assert ids([next(found), next(found)]) == ["alarm-1", "alarm-2"]
            positions = found.positions
        # When it comes back
        with alarms(broker, topic_prefix=unused_prefix, since=positions, timeout=1.0) as found:
            # Then it goes on there
            assert ids(list(found)) == ["alarm-3"]
        # And an offset beyond the end is the end
        beyond = {partition: 1000 for partition in positions}
        with alarms(broker, topic_prefix=unused_prefix, since=beyond, timeout=1.0) as found:
            send(alarm(4))
            assert ids(list(found)) == ["alarm-4"]

    async def test_async_for_on_a_broker(self, broker: str, unused_prefix: str, send: Send) -> None:
        send(alarm(1), alarm(2))
        async with alarms(
            broker, topic_prefix=unused_prefix, since="beginning", timeout=5.0
        ) as found:
            assert ids([await anext(found), await anext(found)]) == ["alarm-1", "alarm-2"]

    def test_the_environment_says_where(
        self, broker: str, unused_prefix: str, send: Send, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(alarm(1))
        monkeypatch.setenv("STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS", broker)
        monkeypatch.setenv("STREAMGAUGE_KAFKA__TOPIC_PREFIX", unused_prefix)
        with alarms(since="beginning", timeout=1.0) as found:
            assert next(found).alarm_id == "alarm-1"

    def test_a_group_commits_what_was_handled(
        self, broker: str, unused_prefix: str, send: Send
    ) -> None:
        """Asked of the broker: the mock cluster lets a second member in after 45 s only."""
        # Given a member that handled one alarm, and ends while it handles the second
        group = f"{unused_prefix}-group"
        send(alarm(1), alarm(2), alarm(3))
        with alarms(
            broker, topic_prefix=unused_prefix, group=group, since="beginning", timeout=10.0
        ) as found:
            assert [next(found).alarm_id, next(found).alarm_id] == ["alarm-1", "alarm-2"]
        # When another would take over
        consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
        topic = f"{unused_prefix}.alarms"
        partitions = [TopicPartition(topic, number) for number in range(4)]
        committed = [place.offset for place in consumer.committed(partitions, timeout=10)]
        consumer.close()
        # Then it would begin at the second, since nobody said that it was done
        assert [offset for offset in committed if offset >= 0] == [1]


def test_kafka_that_is_away_is_told_and_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = alarms("127.0.0.1:1", timeout=0.1)
        assert list(found) == []
        found.close()
    assert "cannot reach Kafka at 127.0.0.1:1" in caplog.text


def test_a_topic_that_is_not_there_yet_is_waited_for(
    broker: str, unused_prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The mock cluster makes any topic that is asked for, so the first answers are faked."""
    topic = f"{unused_prefix}.alarms"
    answers = threading.Event()

    class WithoutTopicAtFirst:
        def __init__(self, consumer: Any) -> None:
            self._consumer = consumer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._consumer, name)

        def list_topics(self, topic: str, timeout: float) -> Any:
            found = self._consumer.list_topics(topic, timeout=timeout)
            if not answers.is_set():
                found.topics[topic].partitions = {}
            return found

    from streamgauge_client import following

    make = following._consumer
    monkeypatch.setattr(
        following, "_consumer", lambda *arguments: WithoutTopicAtFirst(make(*arguments))
    )
    monkeypatch.setattr(following, "_LOOK_AGAIN", 0.01)
    # Given a subscription to what comes next, on a topic that is not there
    with caplog.at_level(logging.WARNING):
        follower = LogFollower(broker, topic, since="latest", options={})
    found = AlarmSubscription(follower, timeout=5.0)
    assert f"topic {topic} is not there yet" in caplog.text
    # When the topic appears with an alarm on it
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
    encoded = encode(alarm(1), source="/tests")
    producer.produce(topic, value=encoded.value, headers=encoded.headers)
    assert producer.flush(10) == 0
    answers.set()
    # Then the alarm is given: it came after the call
    assert next(found).alarm_id == "alarm-1"
    found.close()
