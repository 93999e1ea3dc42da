"""What in Redis comes back from neither the log nor its snapshots, as one sealed file's content.

Specs, reference profiles, models with their history, and what people said of alarms. Checkpoints
are left out: their positions are those of a log, and workers bring them back from there.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from redis import Redis

from streamgauge.processing import StateError
from streamgauge.state.handlings import HANDLINGS, VERDICTS
from streamgauge.state.keys import PREFIX
from streamgauge.state.packing import pack, unpack

SCHEMA = 1
#: What is saved, and how people call it.
KINDS = {
    f"{PREFIX}:spec:": "specs",
    f"{PREFIX}:reference:": "references",
    f"{PREFIX}:model:": "parts of models",
    HANDLINGS: "words on alarms",
    VERDICTS: "words on alarms",
}


class Kept(NamedTuple):
    """A key, the type of its value, the value, and its milliseconds to live (-1: for ever)."""

    key: str
    type: str
    value: Any
    ttl: int


class InUse(Exception):
    """Keys that would be overwritten."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(f"{len(keys)} of the keys are there already, {keys[0]} among them")


def save(redis: Redis, *, key: bytes = b"") -> tuple[bytes, Counter[str]]:
    """The content, sealed with ``key``, and how many keys of each kind are in it.

    Key by key: what changes meanwhile is in it as it was before or after.
    """
    found = {name.decode() for start in KINDS for name in redis.scan_iter(f"{start}*", count=1000)}
    kept = [each for name in sorted(found) if (each := _read(redis, name)) is not None]
    return pack([SCHEMA, [list(each) for each in kept]], key=key), _kinds(kept)


def restore(redis: Redis, content: bytes, *, key: bytes = b"", over: bool = False) -> Counter[str]:
    """Write what ``save`` read; how many keys of each kind.

    Raises ``StateError`` for content that is damaged, forged or of another key, and ``InUse`` where
    keys are there already and ``over`` is False. Nothing is written then.
    """
    schema, listed = unpack(content, key=key)
    if schema != SCHEMA:
        raise StateError(f"saved by schema {schema}; this version reads {SCHEMA}")
    kept = [Kept(*each) for each in listed]
    # Without a key anybody may have made it: it must reach no state of workers.
    if strange := [each.key for each in kept if _kind(each.key) is None]:
        raise StateError(f"it holds the key {strange[0]!r}, which no save holds")
    there = [each.key for each in kept if redis.exists(each.key)]
    if there and not over:
        raise InUse(there)
    for each in kept:
        _write(redis, each)
    return _kinds(kept)


def _read(redis: Any, name: str) -> Kept | None:
    kind = redis.type(name).decode()
    if kind == "string":
        value = redis.get(name)
    elif kind == "hash":
        value = sorted(redis.hgetall(name).items())
    elif kind == "list":
        value = redis.lrange(name, 0, -1)
    elif kind == "none":
        # It went since it was found.
        return None
    else:
        raise StateError(f"{name} is a {kind}, which nothing of ours is")
    return Kept(name, kind, value, redis.pttl(name))


def _write(redis: Redis, kept: Kept) -> None:
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(kept.key)
        if kept.type == "string":
            pipe.set(kept.key, kept.value)
        elif kept.type == "hash":
            pipe.hset(kept.key, mapping=dict(kept.value))
        else:
            pipe.rpush(kept.key, *kept.value)
        if kept.ttl > 0:
            pipe.pexpire(kept.key, kept.ttl)
        pipe.execute()


def _kind(name: str) -> str | None:
    return next((kind for start, kind in KINDS.items() if name.startswith(start)), None)


def _kinds(kept: list[Kept]) -> Counter[str]:
    return Counter(_kind(each.key) or "" for each in kept)
