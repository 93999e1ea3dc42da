"""A Redis that may lose state is told from one that keeps it, and from one that does not say."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as Cut

from streamgauge.state.durability import shortcomings


class Told(Redis):
    """Answers INFO as it is told to."""

    def __init__(self, **told: Any) -> None:
        super().__init__()
        self.told = told

    async def info(self, section: str | None = None, *_: str, **__: Any) -> Any:
        if isinstance(self.told.get("error"), Exception):
            raise self.told["error"]
        return self.told


GOOD = {"maxmemory_policy": "noeviction", "aof_enabled": 1}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (GOOD, []),
        (GOOD | {"maxmemory_policy": "allkeys-lru"}, ["maxmemory-policy is allkeys-lru"]),
        (GOOD | {"aof_enabled": 0}, ["AOF is off"]),
        ({"maxmemory_policy": "volatile-ttl", "aof_enabled": 0}, ["maxmemory-policy is", "AOF"]),
    ],
    ids=["good", "evicts", "no AOF", "both"],
)
async def test_what_may_lose_state_is_found(told: dict[str, Any], found: list[str]) -> None:
    redis = Told(**told)
    said = await shortcomings(redis)
    assert len(said) == len(found)
    assert all(each.startswith(begin) for each, begin in zip(said, found, strict=True))
    await redis.aclose()


async def test_what_is_not_told_is_passed_over_and_said(caplog: pytest.LogCaptureFixture) -> None:
    for redis in (Told(), Told(error=NoPermissionError("no INFO for you"))):
        caplog.clear()
        assert await shortcomings(redis) == []
        assert caplog.text.count("not checked") == 2
        await redis.aclose()


@pytest.mark.parametrize("error", [Cut("gone"), BusyLoadingError("loading"), TimeoutError()])
async def test_one_that_does_not_answer_has_not_said_that_it_is_good(error: Exception) -> None:
    redis = Told(error=error)
    with pytest.raises((RedisError, OSError)):
        await shortcomings(redis)
    await redis.aclose()


async def test_fakeredis_tells_nothing(
    fake_redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    redis: Redis = Redis.from_url(fake_redis_url)
    assert await shortcomings(redis) == []
    assert caplog.text.count("not checked") == 2
    await redis.aclose()


@pytest.mark.integration
async def test_a_real_server_tells(real_redis_url: str) -> None:
    redis: Redis = Redis.from_url(real_redis_url)
    assert await shortcomings(redis) == []
    try:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        await redis.config_set("appendonly", "no")
        assert len(await shortcomings(redis)) == 2
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("appendonly", "yes")
        await redis.aclose()
