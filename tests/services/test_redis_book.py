"""The monitor's book of specs goes on, whatever happens as it is read."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streamgauge.configurations import redis_book as book
from streamgauge.configurations.redis_book import RedisBook


class Failing(RedisBook):
    """Fails as it is told, and then works."""

    def __init__(self, redis: Redis, failures: list[Exception]) -> None:
        super().__init__(redis, overrides={})
        self.failures = failures
        self.worked = asyncio.Event()

    async def refresh(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.worked.set()


@pytest.mark.parametrize(
    ("error", "said"),
    [(RuntimeError("a defect"), "Traceback"), (RedisConnectionError("gone"), "does not answer")],
)
async def test_it_says_once_what_went_wrong_and_reads_on(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(book, "REFRESH_SECONDS", 0.001)
    redis: Redis = Redis.from_url("redis://127.0.0.1:1")
    following = Failing(redis, [error, error, error])
    task = asyncio.create_task(following.follow())
    async with asyncio.timeout(5):
        await following.worked.wait()
    assert not task.done()
    assert caplog.text.count(said) == 1
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await redis.aclose()
