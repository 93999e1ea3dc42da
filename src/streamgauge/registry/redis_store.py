"""Artefacts in Redis: the newest versions, near those who serve them."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from streamgauge.registry.base import AlreadyThere, StoreFailed
from streamgauge.registry.envelope import MAX_BYTES
from streamgauge.registry.rejected import Rejected
from streamgauge.state.keys import model_key

_PART = "artefact:"


class RedisArtefacts:
    """Implements ``ArtefactStore``. ``redis`` answers bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def put(self, model: str, version: int, artefact: bytes) -> None:
        key = model_key(model, f"{_PART}{version}")
        try:
            if not self._redis.set(key, artefact, nx=True) and self._redis.get(key) != artefact:
                raise AlreadyThere(model, version)
        except RedisError as error:
            raise StoreFailed(f"Redis does not keep the artefact: {error}") from error

    def get(self, model: str, version: int) -> bytes | None:
        key = model_key(model, f"{_PART}{version}")
        try:
            # Asked first: what is too large is not fetched.
            size = int(self._redis.strlen(key))
            data: Any = self._redis.get(key) if size <= MAX_BYTES else b""
        except RedisError as error:
            raise StoreFailed(f"Redis does not give the artefact: {error}") from error
        if size > MAX_BYTES:
            raise Rejected("size", f"the artefact has {size:,} bytes, the limit is {MAX_BYTES:,}")
        return None if data is None else bytes(data)

    def versions(self, model: str) -> list[int]:
        prefix = model_key(model, _PART)
        try:
            # Our keys have no letter that means something in a pattern.
            keys = list(self._redis.scan_iter(match=f"{prefix}*", count=1000))
        except RedisError as error:
            raise StoreFailed(f"Redis does not list artefacts: {error}") from error
        return sorted({int(key.decode()[len(prefix) :]) for key in keys})

    def remove(self, model: str, version: int) -> None:
        try:
            self._redis.delete(model_key(model, f"{_PART}{version}"))
        except RedisError as error:
            raise StoreFailed(f"Redis does not remove the artefact: {error}") from error
