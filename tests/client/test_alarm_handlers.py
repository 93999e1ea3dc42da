"""``@on_alarm`` and ``run``: who is called, what is committed, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from streamgauge_client import AlarmEvent, encode, on_alarm, run
from streamgauge_client.alarm_handlers import AlarmHandlers

PATIENCE = 20.0


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


@pytest.fixture
def send(producer: Any, unused_prefix: str) -> Callable[..., None]:
    def send(*events: AlarmEvent) -> None:
        for event in events:
            encoded = encode(event, source="/tests")
            producer.produce(
                f"{unused_prefix}.alarms",
                value=encoded.value,
                headers=encoded.headers,
                key=event.model.encode(),
            )
        assert producer.flush(10) == 0

    return send


class Seen:
    """What handlers saw; stops the run when it was enough."""

    def __init__(self, enough: int) -> None:
        self.stop = threading.Event()
        self.by: dict[str, list[str]] = {}
        self._left = enough
        self._lock = threading.Lock()

    def note(self, who: str, alarm: AlarmEvent) -> None:
        with self._lock:
            self.by.setdefault(who, []).append(alarm.alarm_id)
            self._left -= 1
            if self._left == 0:
                self.stop.set()


def committed(broker: str, group: str, topic: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        partitions = [TopicPartition(topic, number) for number in range(4)]
        places = consumer.committed(partitions, timeout=10)
        return [place.offset for place in places if place.offset >= 0]
    finally:
        consumer.close()


def run_within(
    handlers: AlarmHandlers, seen: Seen, broker: str, prefix: str, patience: float = PATIENCE
) -> Any:
    """A run that also ends when the test would wait for ever."""
    timer = threading.Timer(patience, seen.stop.set)
    timer.start()
    try:
        return handlers.run(broker, topic_prefix=prefix, stop=seen.stop)
    finally:
        timer.cancel()


def test_each_handler_gets_what_it_asked_for(
    broker: str, unused_prefix: str, send: Callable[..., None]
) -> None:
    # Given handlers with and without async, which ask for different alarms
    handlers, seen = AlarmHandlers(), Seen(enough=7)

    @handlers.on_alarm(since="beginning")
    def everything(alarm: AlarmEvent) -> None:
        seen.note("everything", alarm)

    @handlers.on_alarm(since="beginning", severity="critical", model=["fraud", "churn"])
    async def critical(alarm: AlarmEvent) -> None:
        await asyncio.sleep(0)
        seen.note("critical", alarm)

    @handlers.on_alarm(since="beginning", where=lambda alarm: alarm.alarm_id == "alarm-3")
    def third(alarm: AlarmEvent) -> None:
        seen.note("third", alarm)

    # When alarms come
    send(alarm(1), alarm(2, severity="critical"), alarm(3), alarm(4, severity="critical"))
    send(alarm(4, severity="critical"))
    done = run_within(handlers, seen, broker, unused_prefix)
    # Then each got its own, once
    assert (done.handled, done.failed) == (7, 0)
    assert seen.by["critical"] == ["alarm-2", "alarm-4"]
    assert seen.by["third"] == ["alarm-3"]
    assert seen.by["everything"] == ["alarm-1", "alarm-2", "alarm-3", "alarm-4"]


def test_a_handler_that_raises_is_counted_and_the_next_alarm_follows(
    broker: str, unused_prefix: str, send: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    handlers, seen = AlarmHandlers(), Seen(enough=4)

    @handlers.on_alarm(since="beginning")
    def fails(alarm: AlarmEvent) -> None:
        seen.note("fails", alarm)
        raise ValueError("no")

    @handlers.on_alarm(since="beginning")
    async def works(alarm: AlarmEvent) -> None:
        seen.note("works", alarm)

    send(alarm(1), alarm(2))
    with caplog.at_level(logging.ERROR):
        done = run_within(handlers, seen, broker, unused_prefix)
    assert (done.handled, done.failed) == (2, 2)
    assert seen.by == {"fails": ["alarm-1", "alarm-2"], "works": ["alarm-1", "alarm-2"]}
    assert "fails raised on alarm alarm-1" in caplog.text and "ValueError: no" in caplog.text


def test_what_was_handled_is_committed_and_what_failed_at_the_end_is_not(
    broker: str, unused_prefix: str, send: Callable[..., None]
) -> None:
    # Given a group with two handlers, of which one fails on the third alarm
    group = f"{unused_prefix}-group"
    handlers, seen = AlarmHandlers(), Seen(enough=6)

    @handlers.on_alarm(group=group, since="beginning")
    def first(alarm: AlarmEvent) -> None:
        seen.note("first", alarm)

    @handlers.on_alarm(group=group, since="beginning")
    def second(alarm: AlarmEvent) -> None:
        seen.note("second", alarm)
        if alarm.alarm_id == "alarm-3":
            raise ValueError("no")

    send(alarm(1), alarm(2), alarm(3))
    done = run_within(handlers, seen, broker, unused_prefix)
    # Then both saw all of the group's alarms, and the group would go on at the third
    assert seen.by["first"] == seen.by["second"] == ["alarm-1", "alarm-2", "alarm-3"]
    assert (done.handled, done.failed) == (5, 1)
    assert committed(broker, group, f"{unused_prefix}.alarms") == [2]


def test_an_exit_in_a_handler_ends_the_run(
    broker: str, unused_prefix: str, send: Callable[..., None]
) -> None:
    handlers, seen = AlarmHandlers(), Seen(enough=99)

    @handlers.on_alarm(since="beginning")
    def leaves(alarm: AlarmEvent) -> None:
        raise SystemExit(7)

    send(alarm(1))
    with pytest.raises(SystemExit) as caught:
        run_within(handlers, seen, broker, unused_prefix)
    assert caught.value.code == 7


_SERVICE = """
import sys, time
from streamgauge_client import on_alarm, run

@on_alarm(group={group!r}, since="beginning")
def handle(alarm):
    print("begun", flush=True)
    time.sleep(0.5)
    print("done", flush=True)

done = run({broker!r}, topic_prefix={prefix!r})
print(done.handled, done.failed, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_lets_the_handler_finish_and_commits(
    broker: str, unused_prefix: str, send: Callable[..., None], number: signal.Signals
) -> None:
    # Given a service in the middle of an alarm
    group = f"{unused_prefix}-group"
    send(alarm(1))
    script = _SERVICE.format(group=group, broker=broker, prefix=unused_prefix)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "begun\n"
        # When it is told to end
        service.send_signal(number)
        rest, errors = service.communicate(timeout=PATIENCE)
    # Then it finishes what it began, tells so to Kafka, and ends well
    assert (service.returncode, rest, errors) == (0, "done\n1 0\n", "")
    assert committed(broker, group, f"{unused_prefix}.alarms") == [1]


class TestMistakes:
    def test_nothing_to_run(self) -> None:
        with pytest.raises(RuntimeError, match="@on_alarm"):
            AlarmHandlers().run("127.0.0.1:1")

    async def test_within_an_event_loop(self) -> None:
        handlers = AlarmHandlers()
        handlers.on_alarm(print)
        with pytest.raises(RuntimeError, match="async for"):
            handlers.run("127.0.0.1:1")

    def test_one_group_that_begins_at_two_places(self) -> None:
        handlers = AlarmHandlers()
        handlers.on_alarm(group="g", since="latest")(print)
        handlers.on_alarm(group="g", since="beginning")(print)
        with pytest.raises(ValueError, match="different places"):
            handlers.run("127.0.0.1:1")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"severity": "high"}, "info, warning, critical"),
            ({"since": "soon"}, 'like "30s"'),
            ({"since": "1h", "group": "g"}, "leave the group out"),
        ],
        ids=str,
    )
    def test_an_argument_is_refused_where_it_is_written(
        self, arguments: dict[str, Any], told: str
    ) -> None:
        with pytest.raises(ValueError, match=told):
            AlarmHandlers().on_alarm(**arguments)

    def test_what_is_no_function(self) -> None:
        def pieces(alarm: AlarmEvent) -> Any:
            yield alarm

        with pytest.raises(TypeError, match="decorates functions"):
            AlarmHandlers().on_alarm()(3)  # type: ignore[type-var]
        with pytest.raises(TypeError, match="generator"):
            AlarmHandlers().on_alarm(pieces)


def test_a_handler_stays_the_function_it_is() -> None:
    handlers = AlarmHandlers()

    @handlers.on_alarm
    def handle(alarm: AlarmEvent) -> str:
        return alarm.alarm_id

    assert handle(alarm(1)) == "alarm-1"
    assert on_alarm.__self__ is run.__self__, "the package's two belong together"  # type: ignore[attr-defined]
