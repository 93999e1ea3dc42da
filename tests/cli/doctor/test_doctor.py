"""The verb: a line a check, an exit code a class, and an end in time whatever hangs."""

from __future__ import annotations

import inspect
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest
from confluent_kafka import Producer
from redis import Redis
from typer.testing import Result

from streamgauge.cli.doctor.base import Check, Diagnosis
from streamgauge.cli.doctor.examination import examine
from streamgauge.cli.doctor.site import Site
from streamgauge.cli.failures import CommandFailed, Unreachable
from streamgauge.settings import Settings
from streamgauge.state.processes import ProcessView
from streamgauge_client.topics import TOPICS

Run = Callable[..., Result]


class Made(Check):
    """A check for tests alone: without a name, so nobody finds it."""

    place: ClassVar[int] = 1

    def look(self, site: Site) -> Diagnosis:
        raise NotImplementedError


def answers(budget: float = 5.0, **checks: type[Check]) -> dict[str, Diagnosis]:
    for name, check in checks.items():
        # Given afterwards, so that the registry does not learn of it.
        check.name = name
    with Site(Settings()) as site:
        return dict(examine(site, checks.values(), budget=budget))


def test_what_a_check_raises_is_its_answer() -> None:
    class Refuses(Made):
        def look(self, site: Site) -> Diagnosis:
            raise CommandFailed("no", "do this")

    class Breaks(Made):
        def look(self, site: Site) -> Diagnosis:
            raise ZeroDivisionError("by zero")

    found = answers(refuses=Refuses, breaks=Breaks)
    assert found["refuses"] == Diagnosis("problem", "no", "do this")
    assert found["breaks"].finding == "the check itself failed: ZeroDivisionError: by zero"


def test_what_is_away_is_asked_for_once() -> None:
    asked: list[str] = []

    class Away(Made):
        def look(self, site: Site) -> Diagnosis:
            raise Unreachable("Kafka is away")

    class Needs(Made):
        place, needs = 2, ("kafka",)

        def look(self, site: Site) -> Diagnosis:
            asked.append("needs")
            return Diagnosis("ok", "fine")

    found = answers(needs=Needs, kafka=Away)
    assert list(found) == ["kafka", "needs"]
    assert found["needs"] == Diagnosis("skipped", "not checked: Kafka is not reachable")
    assert found["kafka"].unreachable and not asked


def test_a_check_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    class Hangs(Made):
        def look(self, site: Site) -> Diagnosis:
            release.wait(30)
            return Diagnosis("ok", "at last")

    started = time.monotonic()
    found = answers(0.1, hangs=Hangs)["hangs"]
    release.set()
    assert time.monotonic() - started < 5
    assert (
        found.state == "problem" and found.unreachable and "no answer within 0.1 s" in found.finding
    )


def test_every_check_says_what_it_is_and_has_its_place() -> None:
    checks = Check.classes()
    assert len(checks) >= 15
    assert len({check.place for check in checks.values()}) == len(checks)
    for name, check in checks.items():
        assert inspect.getdoc(check) != inspect.getdoc(Check), name
        # Parts that are needed are asked about before.
        assert all(checks[part].place < check.place for part in check.needs)


def _closed() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_nothing_there_is_exit_code_3(run: Run) -> None:
    where = _closed()
    result = run("--kafka", where, "--redis", f"redis://{where}/0", "doctor")
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0].startswith("problem  kafka        Kafka at")
    assert lines[1].lstrip().startswith("→ start it")
    assert sum(line.startswith("skipped") for line in lines) == 13
    assert "checks found a problem: kafka, redis" in result.stderr


@pytest.fixture
def silent() -> Iterator[str]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_port_that_never_answers_does_not_hold_it_up(run: Run, silent: str) -> None:
    started = time.monotonic()
    result = run("--kafka", silent, "--redis", f"redis://{silent}/0", "doctor", "-o", "json")
    assert time.monotonic() - started < 40
    assert result.exit_code == 3
    found = {each["check"]: each for each in json.loads(result.stdout)}
    assert found["kafka"]["state"] == found["redis"]["state"] == "problem"


def test_a_check_that_there_is_not(run: Run) -> None:
    result = run("doctor", "--check", "partition")
    assert result.exit_code == 2 and "did you mean 'partitions'?" in result.stderr


@pytest.fixture
def fleet(broker: str, redis_url: str) -> Iterator[tuple[str, str, str]]:
    """An embedded broker with topics of its own, a Redis, and a monitor that says it runs."""
    prefix = f"doctor-{time.monotonic_ns()}"
    producer = Producer({"bootstrap.servers": broker, "partitioner": "murmur2_random"})
    for topic in TOPICS:
        producer.list_topics(topic.under(prefix), timeout=10)
    now = time.time()
    for n in range(20):
        event = {"prediction_id": f"p-{n}", "model": "fraud", "timestamp": now}
        producer.produce(f"{prefix}.predictions", json.dumps(event), key="fraud")
    assert producer.flush(10) == 0
    monitor = ProcessView(service="monitor", instance="m1", started_at=now, partitions=[0, 1, 2, 3])
    with Redis.from_url(redis_url) as redis:
        redis.set(monitor.key, monitor.to_bytes())
    yield broker, redis_url, prefix


def examined(run: Run, fleet: tuple[str, str, str], *more: str) -> tuple[int, dict[str, str]]:
    broker, url, prefix = fleet
    env = {"STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix}
    result = run("--kafka", broker, "--redis", url, "doctor", "-o", "json", *more, env=env)
    found = json.loads(result.stdout)
    print(result.stdout)  # Seen where a test fails: which check, and what it found.
    assert all(bool(e["remedy"]) for e in found if e["state"] in ("warning", "problem"))
    return result.exit_code, {each["check"]: each["state"] for each in found}


def test_the_embedded_stack_is_healthy(run: Run, fleet: tuple[str, str, str]) -> None:
    code, found = examined(run, fleet)
    assert code == 0, found
    assert not {"problem", "warning"} & set(found.values()), found
    for name in ("kafka", "listeners", "topics", "partitions", "keys", "clocks", "monitors"):
        assert found[name] == "ok", found
    # What the embedded parts can't tell is neither good nor bad.
    assert found["retention"] == "skipped"


def test_a_foreign_partitioner_is_found_out(run: Run, fleet: tuple[str, str, str]) -> None:
    broker, _, prefix = fleet
    producer = Producer({"bootstrap.servers": broker})
    for partition in range(4):
        event = {"prediction_id": "x", "model": "other", "timestamp": time.time()}
        producer.produce(f"{prefix}.labels", json.dumps(event), key="other", partition=partition)
    assert producer.flush(10) == 0
    code, found = examined(run, fleet, "--check", "keys", "--check", "partitions")
    assert code == 4 and found == {"keys": "problem", "partitions": "ok"}
