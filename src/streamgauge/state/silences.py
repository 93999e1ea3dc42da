"""Whether somebody wants to hear nothing of an alarm, asked before it goes out."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamgauge.clock import Clock, system_clock
from streamgauge.state.handlings import HANDLINGS, Handling, field, parsed


class Silences:
    """Asks Redis. While that is away nothing is silenced: an alarm too many is the lesser evil.

    Parameters
    ----------
    redis
        A client with short timeouts and without retries of its own.
    """

    def __init__(self, redis: Redis, *, clock: Clock = system_clock) -> None:
        self._redis: Any = redis
        self._clock = clock

    async def covers(self, fingerprint: str, alarm_id: str) -> bool:
        """Whether a silence holds for an alarm now."""
        try:
            held = parsed(Handling, await self._redis.hget(HANDLINGS, field(fingerprint)))
        except (RedisError, OSError):
            return False
        if held is None or held.status != "silenced" or held.fingerprint != fingerprint:
            return False
        return held.holds(alarm_id, self._clock())
