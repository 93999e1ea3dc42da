"""Nothing in the checkpoint protocol ends by a clock: no lease, no expiry."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from streamgauge.state.keys import checkpoint_key, view_key
from streamgauge.state.redis import RedisStore
from tests.state.test_store_contract import write


@pytest.mark.parametrize("kind", ["fake", pytest.param("real", marks=pytest.mark.integration)])
async def test_what_is_written_stays(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{kind}_redis_url")
    store, redis = RedisStore(url, "no-clock"), Redis.from_url(url)
    await store.acquire(0, owner="a", generation=1, first="#0")
    whole = write("#0", "#1", blobs={"m": b"s"}, views={"m": b"v"}, outbox={"x": b"1"})
    assert await store.checkpoint(0, owner="a", epoch="1", write=whole) == "OK"
    for key in (checkpoint_key("no-clock", 0), view_key("no-clock", 0)):
        assert await redis.ttl(key) == -1
    await store.close()
    await redis.aclose()
