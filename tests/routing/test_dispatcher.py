"""One sink's dispatcher: order, retries, bounds, once; on a sink that does as it is told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.alarms.sinks.base import ARRIVED, AlarmSink, Delivery
from streamgauge.routing.dispatcher import MAX_AT_ONCE, Dispatcher
from streamgauge.routing.retrying import Patience
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry.notifications import (
    NOTIFICATION_RETRIES,
    NOTIFICATIONS,
    NOTIFICATIONS_WAITING,
    OUTCOMES,
)
from streamgauge_client import AlarmEvent

AGAIN = Delivery(False, recoverable=True, reason="HTTP 500")
NEVER = Delivery(False, recoverable=False, reason="HTTP 400")
QUICK = Patience(max_attempts=5, first_retry_seconds=0.001, longest_retry_seconds=0.002)


class Scripted(AlarmSink):
    """Answers by alarm id, in turn; then with yes. Unnamed, so that it is in no registry."""

    def __init__(self) -> None:
        self.unwanted: set[str] = set()
        self.attempts: list[str] = []
        self.delivered: list[str] = []
        self.answers: dict[str, list[Delivery | Exception]] = defaultdict(list)
        self.held = asyncio.Event()
        self.held.set()
        self.at_once = self.most_at_once = 0

    def wants(self, alarm: AlarmEvent) -> bool:
        return alarm.status not in self.unwanted

    async def send(self, alarm: AlarmEvent) -> Delivery:
        self.attempts.append(alarm.alarm_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.held.wait()
        await asyncio.sleep(0)
        self.at_once -= 1
        script = self.answers[alarm.alarm_id]
        answer = script.pop(0) if script else ARRIVED
        if isinstance(answer, Exception):
            raise answer
        if answer.delivered:
            self.delivered.append(alarm.alarm_id)
        return answer


class Memory:
    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()

    async def knows(self, sink: str, alarm_id: str) -> bool:
        return (sink, alarm_id) in self.known

    async def add(self, sink: str, alarm_id: str) -> None:
        self.known.add((sink, alarm_id))


class Silent:
    """Nothing is to be heard of these causes."""

    def __init__(self, *causes: str) -> None:
        self.causes = causes

    async def covers(self, fingerprint: str, alarm_id: str) -> bool:
        return fingerprint in self.causes


class Bench:
    """A dispatcher with everything that it touches in view."""

    def __init__(self, patience: Patience = QUICK, silences: Silent | None = None) -> None:
        self.sink, self.memory = Scripted(), Memory()
        self.telemetry = Telemetry(CollectorRegistry(), service="notifier", version="1")
        self.done: list[str] = []
        self.dispatcher = Dispatcher(
            "pager",
            self.sink,
            patience=patience,
            memory=self.memory,
            telemetry=self.telemetry,
            silences=silences,
        )

    def submit(self, *ids: str, cause: str = "f", source: int = 0, status: str = "firing") -> None:
        for each in ids:
            alarm = AlarmEvent.model_validate(
                {
                    "alarm_id": each,
                    "fingerprint": cause,
                    "status": status,
                    "severity": "warning",
                    "kind": "feature_drift",
                    "scope": {},
                    "model": "fraud",
                    "summary": f"alarm {each}",
                }
            )
            self.dispatcher.submit(alarm, partial(self.done.append, each), source=source)

    def counted(self) -> dict[str, float | None]:
        counts = {o: self.telemetry.value(NOTIFICATIONS, sink="pager", outcome=o) for o in OUTCOMES}
        return {outcome: count for outcome, count in counts.items() if count}

    async def settled(self) -> None:
        await until(lambda: self.dispatcher.waiting == 0)


async def until(condition: Callable[[], Any], *, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.001)


async def test_what_arrives_is_done_remembered_and_counted() -> None:
    bench = Bench()
    bench.submit("a", "b")
    await bench.settled()
    assert bench.sink.delivered == bench.done == ["a", "b"]
    assert bench.memory.known == {("pager", "a"), ("pager", "b")}
    assert bench.counted() == {"delivered": 2}
    assert bench.dispatcher.trouble() is None


async def test_what_is_silenced_is_settled_and_not_sent() -> None:
    # Given a cause of which nobody wants to hear, and another
    bench = Bench(silences=Silent("quiet"))
    bench.submit("a", cause="quiet")
    bench.submit("b", cause="quiet", status="resolved")
    bench.submit("c", cause="loud")
    # That it was silenced is heard
    bench.submit("d", cause="quiet", status="silenced")
    await bench.settled()
    # Then it does not wait, and is not taken for delivered
    assert sorted(bench.done) == ["a", "b", "c", "d"]
    assert sorted(bench.sink.delivered) == ["c", "d"]
    assert bench.memory.known == {("pager", "c"), ("pager", "d")}
    assert bench.counted() == {"delivered": 2, "silenced": 2}


async def test_what_a_sink_has_no_word_for_is_settled_and_never_sent() -> None:
    bench = Bench()
    bench.sink.unwanted = {"acknowledged"}
    bench.submit("a")
    bench.submit("b", status="acknowledged")
    bench.submit("c", status="resolved")
    await bench.settled()
    assert bench.done == ["a", "b", "c"]
    assert bench.sink.attempts == ["a", "c"] and bench.counted() == {"delivered": 2}


async def test_what_arrived_before_is_not_sent_again() -> None:
    bench = Bench()
    await bench.memory.add("pager", "a")
    await bench.memory.add("another", "b")
    bench.submit("a", "b")
    await bench.settled()
    assert bench.sink.attempts == ["b"]
    assert bench.done == ["a", "b"]
    assert bench.counted() == {"delivered": 1, "duplicate": 1}


async def test_a_failing_sink_is_tried_again_and_the_order_of_a_cause_is_kept() -> None:
    # Given a firing alarm that fails twice, and its end right behind
    bench = Bench()
    bench.sink.answers["firing"] = [AGAIN, AGAIN]
    # When both are submitted
    bench.submit("firing", "resolved")
    await bench.settled()
    # Then the end waited for the beginning
    assert bench.sink.attempts == ["firing", "firing", "firing", "resolved"]
    assert bench.telemetry.value(NOTIFICATION_RETRIES, sink="pager") == 2
    assert bench.counted() == {"delivered": 2}


async def test_one_cause_does_not_wait_for_another() -> None:
    bench = Bench(Patience(first_retry_seconds=30.0))
    bench.sink.answers["stuck"] = [AGAIN]
    bench.submit("stuck", cause="one")
    await until(lambda: bench.dispatcher.trouble())
    bench.submit("a", "b", cause="two")
    await until(lambda: bench.done == ["a", "b"])
    assert bench.dispatcher.waiting == 1
    await bench.dispatcher.close()


async def test_a_slow_sink_is_not_flooded() -> None:
    bench = Bench()
    bench.sink.held.clear()
    for number in range(20):
        bench.submit(f"a{number}", cause=f"cause {number}")
    await until(lambda: bench.sink.at_once == MAX_AT_ONCE)
    assert bench.telemetry.value(NOTIFICATIONS_WAITING, sink="pager") == 20
    bench.sink.held.set()
    await bench.settled()
    assert bench.sink.most_at_once == MAX_AT_ONCE and len(bench.done) == 20


async def test_what_is_refused_is_given_up_at_once_told_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.sink.answers["a\nb"] = [NEVER]
    with caplog.at_level(logging.ERROR):
        bench.submit("a\nb")
        await bench.settled()
    assert (bench.sink.attempts, bench.done) == (["a\nb"], ["a\nb"])
    assert bench.counted() == {"refused": 1}
    assert bench.memory.known == set()
    said = bench.dispatcher.trouble()
    assert said == "sink pager does not take alarms (0 alarms waiting, 1 given up): HTTP 400"
    (record,) = caplog.records
    assert "given up (refused): HTTP 400" in record.getMessage()
    assert "\n" not in record.getMessage()
    # And the next one that arrives makes all well again
    bench.submit("c")
    await bench.settled()
    assert bench.dispatcher.trouble() is None


async def test_attempts_are_bounded() -> None:
    bench = Bench()
    bench.sink.answers["a"] = [AGAIN] * 100
    bench.submit("a", "b")
    await bench.settled()
    assert bench.sink.attempts == ["a"] * 5 + ["b"]
    assert bench.done == ["a", "b"]
    assert bench.counted() == {"expired": 1, "delivered": 1}


async def test_age_is_bounded_and_counts_the_time_in_the_queue() -> None:
    # Given a patience of a fifth of a second, and two alarms of one cause that never arrive
    bench = Bench(
        Patience(
            max_attempts=10_000,
            max_age_seconds=0.2,
            first_retry_seconds=0.01,
            longest_retry_seconds=0.01,
        )
    )
    bench.sink.answers = defaultdict(lambda: [AGAIN] * 1000)
    bench.submit("a", "b")
    await bench.settled()
    # Then the second, which waited for the first, has no fifth of its own
    assert bench.sink.attempts.count("a") > 5 and 1 <= bench.sink.attempts.count("b") <= 3
    assert bench.counted() == {"expired": 2}


async def test_a_defect_of_a_sink_costs_one_alarm() -> None:
    bench = Bench()
    bench.sink.answers["a"] = [TypeError("canary")]
    bench.submit("a", "b")
    await bench.settled()
    assert bench.sink.attempts == bench.done == ["a", "b"]
    assert bench.counted() == {"refused": 1, "delivered": 1}


async def test_what_another_reader_has_now_is_let_go_without_being_done() -> None:
    # Given alarms of two partitions, all waiting for a second attempt
    bench = Bench(Patience(first_retry_seconds=30.0))
    bench.sink.answers = defaultdict(lambda: [AGAIN])
    bench.submit("a", "b", cause="one", source=1)
    bench.submit("c", cause="two", source=2)
    await until(lambda: sorted(bench.sink.attempts) == ["a", "c"])
    # When the first partition goes away
    bench.dispatcher.drop([1])
    await until(lambda: bench.dispatcher.waiting == 1)
    # Then its alarms are neither sent nor settled, and come again with the partition
    assert bench.done == [] and bench.counted() == {}
    bench.submit("a", cause="one", source=1)
    await until(lambda: bench.done == ["a"])
    assert bench.dispatcher.waiting == 1
    await bench.dispatcher.close()


async def test_closing_waits_for_what_is_under_way_and_for_nothing_else() -> None:
    # Given one alarm under way, one behind it, and one that waits half a minute
    bench = Bench(Patience(first_retry_seconds=60.0))
    bench.sink.answers["late"] = [AGAIN]
    bench.submit("late", cause="other")
    await until(lambda: bench.dispatcher.trouble())
    bench.sink.held.clear()
    bench.submit("under way", "behind")
    await until(lambda: "under way" in bench.sink.attempts)
    # When it is closed, and the receiver then answers
    closing = asyncio.create_task(bench.dispatcher.close())
    await asyncio.sleep(0.01)
    bench.sink.held.set()
    started = time.monotonic()
    await closing
    # Then the one under way is done and remembered, the others are left to the next start
    assert time.monotonic() - started < 1.0
    assert bench.done == bench.sink.delivered == ["under way"]
    assert bench.memory.known == {("pager", "under way")}


async def test_closing_does_not_wait_for_ever() -> None:
    bench = Bench()
    bench.sink.held.clear()
    bench.submit("a")
    await until(lambda: bench.sink.attempts)
    await bench.dispatcher.close(grace=0.05)
    assert bench.done == []


async def test_waits_grow_and_are_not_all_the_same() -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    patience = Patience(max_attempts=9, first_retry_seconds=1.0, longest_retry_seconds=16.0)
    attempts = 0

    async def fail() -> Delivery:
        nonlocal attempts
        attempts += 1
        return AGAIN

    for _ in range(50):
        retrying = patience.retrying(age=lambda: 0.0, before_wait=lambda _: None, sleep=note)
        assert await retrying(fail) == AGAIN
    assert attempts == 50 * 9
    for turn, bound in enumerate([1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 16.0]):
        turns = waits[turn::8]
        assert all(0.5 <= wait <= bound for wait in turns)
        assert len(set(turns)) > 40 and max(turns) > bound / 2
