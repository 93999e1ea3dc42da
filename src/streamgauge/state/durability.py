"""Whether Redis keeps what it is given, by its own word: asked at the start of a process."""

from __future__ import annotations

import logging
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

logger = logging.getLogger(__name__)


async def shortcomings(redis: Redis) -> list[str]:
    """What is wrong with it and how to mend that; what it does not tell is logged and passed over.

    INFO and not CONFIG: a worker has no right to the latter. Raises ``RedisError`` or ``OSError``
    where Redis does not answer: that says nothing about it.
    """
    told = await _info(redis)
    policy, append_only = told.get("maxmemory_policy"), told.get("aof_enabled")
    found = []
    if policy is None:
        logger.warning("Redis does not tell maxmemory-policy (as fakeredis): not checked")
    elif policy != "noeviction":
        found.append(
            f"maxmemory-policy is {policy}, so checkpoints may be thrown away;"
            " set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction)"
        )
    if append_only is None:
        logger.warning("Redis does not tell whether AOF is on (as fakeredis): not checked")
    elif not int(append_only):
        found.append(
            "AOF is off, so all state is gone when Redis restarts;"
            " switch it on (redis-cli CONFIG SET appendonly yes)"
        )
    return found


async def _info(redis: Redis) -> dict[str, Any]:
    """INFO; empty where there is none, or no right to it."""
    try:
        # All in one command: fakeredis hangs up on whoever asks for what it does not know.
        told: dict[str, Any] = await redis.info()
    except ResponseError as error:
        logger.debug("no INFO: %s", error)
        return {}
    return told
