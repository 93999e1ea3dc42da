"""kill -9 in mid-stream, on a real Kafka and a real Redis: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from streamgauge.state.keys import checkpoint_key, view_key
from streamgauge.state.positions import Positions
from tests.integration import oracle
from tests.integration.conftest import Kafka
from tests.streaming.counting import EVERY

PARTITIONS = 4
RECORDS = 30_000


class Workers:
    """Worker processes of one group, and what they left in Redis."""

    def __init__(self, kafka: Kafka, url: str, prefix: str) -> None:
        self.arguments = [
            f"--bootstrap-servers={kafka.bootstrap_servers}",
            f"--redis={url}",
            f"--group={prefix}",
            f"--prefix={prefix}",
        ]
        self.group = prefix
        self.redis: Any = redis.Redis.from_url(url)
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, instance: str) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.counting_worker", *self.arguments,
             f"--instance-id={instance}"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        self.running.append(process)
        return process

    def positions(self) -> dict[tuple[str, int], int]:
        found = {}
        for number in range(PARTITIONS):
            text = self.redis.hget(checkpoint_key(self.group, number), "next")
            for name, offset in Positions.parse(text.decode() if text else "#0").offsets.items():
                found[name, number] = offset
        return found

    def states(self) -> dict[tuple[int, str], dict[str, int]]:
        return {
            (number, name[2:].decode()): json.loads(value)
            for number in range(PARTITIONS)
            for name, value in self.redis.hgetall(checkpoint_key(self.group, number)).items()
            if name.startswith(b"s:")
        }

    def moved_everywhere(self, since: dict[tuple[str, int], int]) -> bool:
        now = self.positions()
        return all(
            any(now.get(key, 0) > offset for key, offset in since.items() if key[1] == number)
            for number in range(PARTITIONS)
        )

    def generations(self) -> list[int]:
        """The Kafka generation under which each partition number was acquired."""
        keys = [checkpoint_key(self.group, number) for number in range(PARTITIONS)]
        return [int(self.redis.hget(key, "gen") or 0) for key in keys]

    def view(self, number: int) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(self.redis.hget(view_key(self.group, number), "_"))
        return view


@pytest.fixture
def workers(real_kafka: Kafka, real_redis: str, prefix: str) -> Iterator[Workers]:
    real_kafka.create_topics(prefix, partitions=PARTITIONS)
    made = Workers(real_kafka, real_redis, prefix)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
        process.wait()
    made.redis.close()


@contextmanager
def load(kafka: Kafka, prefix: str) -> Iterator[threading.Event]:
    """Produce at a steady rate for as long as the block lasts, and the rest at once after it."""
    hurry = threading.Event()

    def produce() -> None:
        for number in oracle.load(kafka.bootstrap_servers, prefix, RECORDS, seed=7):
            if number % 20 == 0 and not hurry.is_set():
                time.sleep(0.02)

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        yield hurry
    finally:
        hurry.set()
        thread.join()


def wait(condition: Callable[[], bool], seconds: float, what: str) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, what
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.mark.alone
@pytest.mark.integration
def test_kill_9_loses_nothing_and_doubles_nothing(
    workers: Workers, real_kafka: Kafka, prefix: str
) -> None:
    rng = random.Random(11)
    with load(real_kafka, prefix):
        # Given a worker that is killed and started again, at any instant, also while it starts
        worker = workers.start("a")
        wait(lambda: workers.moved_everywhere(dict.fromkeys(zero(), 0)), 30, "it never began")
        recoveries = []
        for _ in range(3):
            time.sleep(rng.uniform(0.05, 1.0))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            since, killed = workers.positions(), time.monotonic()
            worker = workers.start("a")
            wait(lambda s=since: workers.moved_everywhere(s), 20, "no recovery")  # type: ignore[misc]
            recoveries.append(time.monotonic() - killed)
        # Then it is back soon, in place.
        assert max(recoveries) < 8, recoveries
        # When another joins, and the first is told to stop under load
        alone = max(workers.generations())
        other = workers.start("b")
        wait(lambda: min(workers.generations()) > alone, 30, "no rebalance")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=5) == 0

    expected = oracle.single_pass(real_kafka.bootstrap_servers, prefix, EVERY)
    assert expected.records == RECORDS
    done = lambda: at_end(workers.positions(), expected.ends)  # noqa: E731
    wait(done, 40, "the rest was not read")
    wait(lambda: outboxes(workers) == 0, 10, "alarms did not leave")
    other.send_signal(signal.SIGTERM)
    assert other.wait(timeout=5) == 0

    # Then state, alarms and dead letters are those of a single undisturbed pass.
    assert workers.states() == expected.states
    alarms, dead = oracle.published(real_kafka.bootstrap_servers, prefix)
    assert set(alarms) == expected.alarms
    assert set(dead) == expected.dead
    for number in range(PARTITIONS):
        view = workers.view(number)
        assert sum(view["counts"].values()) == sum(view["positions"].values())


@pytest.mark.slow
@pytest.mark.integration
def test_a_zombie_that_wakes_writes_nothing(
    workers: Workers, real_kafka: Kafka, prefix: str
) -> None:
    with load(real_kafka, prefix):
        zombie = workers.start("a")
        wait(lambda: workers.moved_everywhere(dict.fromkeys(zero(), 0)), 30, "it never began")
        other, alone = workers.start("b"), max(workers.generations())
        wait(lambda: min(workers.generations()) > alone, 30, "no rebalance")
        # Given a worker that stands still, records in its buffers, until another has its share
        zombie.send_signal(signal.SIGSTOP)
        both = max(workers.generations())
        wait(lambda: min(workers.generations()) > both, 30, "the other did not take over")
        # When it wakes, it joins again like anybody else
        taken = max(workers.generations())
        zombie.send_signal(signal.SIGCONT)
        wait(lambda: min(workers.generations()) > taken, 30, "the zombie did not join again")
    expected = oracle.single_pass(real_kafka.bootstrap_servers, prefix, EVERY)
    wait(lambda: at_end(workers.positions(), expected.ends), 40, "the rest was not read")
    wait(lambda: outboxes(workers) == 0, 10, "alarms did not leave")
    for process in (zombie, other):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    assert workers.states() == expected.states
    alarms, dead = oracle.published(real_kafka.bootstrap_servers, prefix)
    assert set(alarms) == expected.alarms
    assert set(dead) == expected.dead


def zero() -> list[tuple[str, int]]:
    return [("predictions", number) for number in range(PARTITIONS)]


def at_end(positions: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]) -> bool:
    return all(positions.get(key) == end for key, end in ends.items())


def outboxes(workers: Workers) -> int:
    return sum(
        name.startswith(b"o:")
        for number in range(PARTITIONS)
        for name in workers.redis.hkeys(checkpoint_key(workers.group, number))
    )
