"""A monitor does not start on a Redis that may lose its state, unless it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Cut

from services import worker as app
from services.monitor.app import main
from services.stack.redis_server import EmbeddedRedis
from streamgauge.streaming import WorkerError

UNSAFE = ["AOF is off, so all state is gone when Redis restarts"]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> list[bool]:
    """Whether the worker was started; Redis says that it has no AOF."""
    found: list[bool] = []

    async def shortcomings(_redis: object) -> list[str]:
        return UNSAFE

    async def run_worker(*_: object, **__: object) -> None:
        found.append(True)

    monkeypatch.setenv("STREAMGAUGE_REDIS__URL", redis_url)
    monkeypatch.setenv("STREAMGAUGE_MONITOR__PORT", "0")
    monkeypatch.setattr(app, "shortcomings", shortcomings)
    monkeypatch.setattr(app, "run_worker", run_worker)
    return found


def test_it_ends_and_says_why_and_what_to_do(
    started: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 1
    assert not started
    said = capsys.readouterr().err
    assert UNSAFE[0] in said
    assert "STREAMGAUGE_REDIS__REQUIRE_DURABLE=false" in said


def test_told_to_it_runs_and_says_so(
    started: list[bool], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STREAMGAUGE_REDIS__REQUIRE_DURABLE", "false")
    assert main([]) == 0
    assert started
    assert UNSAFE[0] in caplog.text


async def test_a_redis_that_goes_away_meanwhile_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Exception | list[str]] = [Cut("gone"), TimeoutError("slow"), UNSAFE]

    async def shortcomings(_redis: object) -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(app, "shortcomings", shortcomings)
    with pytest.raises(WorkerError, match="AOF is off"):
        await app._check_redis(Redis(), required=True)
    assert caplog.text.count("does not say whether it keeps its state") == 2
    # Behind a proxy that cuts whoever asks, it can be told not to.
    answers.append(Cut("gone"))
    await app._check_redis(Redis(), required=False)
    assert "not checked" in caplog.text


async def test_a_stop_does_not_wait_for_a_redis_that_never_answers() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    begun = time.monotonic()
    await app._unless_stopped(asyncio.sleep(60), stop)
    assert time.monotonic() - begun < 5
