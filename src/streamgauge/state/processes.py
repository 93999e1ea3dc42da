"""What a running process says of itself, in a key that expires when it stops saying so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from redis import RedisError
from redis import asyncio as aioredis

from streamgauge.state.keys import process_key
from streamgauge.state.views import View

logger = logging.getLogger(__name__)

#: How long a process that has fallen silent counts as running; it speaks three times as often.
EXPIRY_SECONDS = 15
ANNOUNCE_SECONDS = 5.0
FAREWELL_SECONDS = 1.0


class ProcessView(View):
    """One process: who it is, since when, where its telemetry is. Times in seconds since 1970.

    ``partitions`` are those that it owns, where it owns any.
    """

    service: str
    instance: str
    version: str = ""
    started_at: float
    url: str | None = None
    partitions: list[int] = []

    @property
    def key(self) -> str:
        return process_key(self.service, self.instance)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


async def announce(
    redis: aioredis.Redis, view: Callable[[], ProcessView], *, every: float = ANNOUNCE_SECONDS
) -> None:
    """Say every few seconds that the process runs, until cancelled; then take the key away.

    Redis being away is no reason to stop: the key expires, and comes back with Redis.
    """
    try:
        while True:
            now = view()
            try:
                await redis.set(now.key, now.to_bytes(), ex=EXPIRY_SECONDS)
            except (RedisError, OSError) as error:
                logger.debug("the process key could not be written: %s", type(error).__name__)
            await asyncio.sleep(every)
    finally:
        # A process that ends waits for nobody here: the key expires.
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await redis.delete(view().key)
