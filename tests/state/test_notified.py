"""What was delivered is known after a restart, and Redis being away holds nothing up."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis
from streamgauge.state import notified
from streamgauge.state.keys import notified_key
from streamgauge.state.notified import Notified


def client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    made = client(request.getfixturevalue(f"{request.param}_redis_url"))
    await made.flushall()
    yield made
    await made.aclose()


async def test_another_process_knows_what_was_delivered(redis: Redis) -> None:
    await Notified(redis, keep_seconds=60).add("pager", "a")
    other = Notified(redis, keep_seconds=60)
    assert await other.knows("pager", "a")
    assert not await other.knows("pager", "b")
    assert not await other.knows("chat", "a")


async def test_it_is_forgotten_in_time_and_the_first_time_counts(redis: Redis) -> None:
    key = notified_key("pager", "a")
    await Notified(redis, keep_seconds=60).add("pager", "a")
    assert 0 < await redis.ttl(key) <= 60
    # Delivered again, its time is not prolonged.
    await Notified(redis, keep_seconds=6000).add("pager", "a")
    assert await redis.ttl(key) <= 60


async def test_nothing_of_an_event_is_in_the_key() -> None:
    key = notified_key("pager", "a:{b}*\r\nFLUSHALL")
    assert key.startswith("streamgauge:notified:pager:")
    assert key.rpartition(":")[2].isalnum() and len(key.rpartition(":")[2]) == 32


async def test_while_redis_is_away_the_process_knows_and_tells_it_afterwards(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a Redis that is not there
    monkeypatch.setattr(notified, "LEAVE_ALONE_SECONDS", 0.0)
    port = free_port()
    redis = client(f"redis://127.0.0.1:{port}/0")
    errors: list[str] = []
    memory = Notified(redis, keep_seconds=60, on_error=errors.append)
    # When alarms are delivered, Then nothing is raised, and what this process did it knows
    assert not await memory.knows("pager", "a")
    await memory.add("pager", "a")
    assert await memory.knows("pager", "a") and not await memory.knows("pager", "b")
    assert not memory.up and set(errors) == {"ConnectionError"}
    assert [r.getMessage()[:22] for r in caplog.records] == ["Redis does not answer "]
    # And when Redis comes, it learns what it missed
    with EmbeddedRedis("fake", port=port):
        await memory.settle()
        assert memory.up
        other = client(f"redis://127.0.0.1:{port}/0")
        assert await Notified(other, keep_seconds=60).knows("pager", "a")
        await other.aclose()
        await redis.aclose()


async def test_a_redis_that_fails_is_left_alone_for_a_while() -> None:
    errors: list[str] = []
    redis = client("redis://127.0.0.1:1/0")
    memory = Notified(redis, keep_seconds=60, on_error=errors.append)
    for number in range(20):
        await memory.knows("pager", str(number))
        await memory.add("pager", str(number))
    assert len(errors) == 1
    await redis.aclose()


async def test_what_is_remembered_is_bounded(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notified, "MAX_REMEMBERED", 3)
    memory = Notified(redis, keep_seconds=60)
    for number in range(10):
        await memory.add("pager", str(number))
    assert len(memory._known) == 3 and not memory._owed
    # Redis still has all of them.
    assert await memory.knows("pager", "0")
