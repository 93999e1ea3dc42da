"""Whether Redis keeps what it is given, by its own word: asked at the start of a process."""

from __future__ import annotations

import logging
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


async def shortcomings(redis: Redis) -> list[str]:
    """What is wrong with it and how to mend that; what it does not tell is logged and passed over.

    INFO and not CONFIG: a worker has no right to the latter.
    """
    policy = (await _info(redis, "memory")).get("maxmemory_policy")
    append_only = (await _info(redis, "persistence")).get("aof_enabled")
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


async def _info(redis: Redis, section: str) -> dict[str, Any]:
    """A section of INFO; empty where there is none, or no right to it."""
    try:
        told: dict[str, Any] = await redis.info(section)
    except (RedisError, OSError) as error:
        logger.debug("no INFO %s: %s", section, error)
        return {}
    return told
