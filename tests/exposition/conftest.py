from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from services.stack.redis_server import EmbeddedRedis


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()
