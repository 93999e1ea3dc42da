from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.registry.registry import ModelRegistry
from tests.missing import missing
from tests.registry.examples import KEY


@pytest.fixture(scope="session")
def fake_redis_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture(scope="session")
def real_redis_url() -> Iterator[str]:
    if real_server() is None:
        missing("no redis-server on PATH")
    with EmbeddedRedis("real") as redis:
        yield redis.url


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_redis_url")
    return found


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    with Redis.from_url(url) as client:
        client.flushall()
        yield client


@pytest.fixture
def registry(redis: Redis) -> ModelRegistry:
    return ModelRegistry(redis, key=KEY)
