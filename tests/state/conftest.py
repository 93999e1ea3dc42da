from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.state.base import CheckpointStore
from streamgauge.state.memory import MemoryStore
from streamgauge.state.redis import RedisStore
from tests.missing import missing


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


@pytest.fixture(params=["memory", "fake", pytest.param("real", marks=pytest.mark.integration)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CheckpointStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = request.getfixturevalue(f"{request.param}_redis_url")
    made = RedisStore(url, group=request.node.name)
    yield made
    await made.close()
