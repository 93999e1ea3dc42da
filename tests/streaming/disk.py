"""A checkpoint store that can be copied and put back, as a failover or a restored dump does."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from redis import Redis

from streamgauge.state.base import CheckpointStore
from streamgauge.state.keys import checkpoint_key, view_key
from streamgauge.state.memory import MemoryStore
from streamgauge.state.redis import RedisStore

T = TypeVar("T")
Image = Mapping[str, Any]


class Disk(Protocol):
    """What holds partition number 0."""

    store: CheckpointStore

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for the store, outside of virtual time."""

    def copy(self) -> Image:
        """Everything in it."""

    def put_back(self, image: Image) -> None:
        """Hold this and nothing else; ``{}`` wipes."""

    def position(self, image: Image) -> str:
        """The position text in a copy."""


class MemoryDisk:
    """Implements ``Disk``."""

    def __init__(self) -> None:
        self._memory = MemoryStore()
        self.store: CheckpointStore = self._memory
        self._loop = asyncio.new_event_loop()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(call)

    def copy(self) -> Image:
        return {str(n): copy.deepcopy(h) for n, h in self._memory._hashes.items()}

    def put_back(self, image: Image) -> None:
        self._memory._hashes = {int(n): copy.deepcopy(h) for n, h in image.items()}

    def position(self, image: Image) -> str:
        return image["0"].position if "0" in image else ""

    def close(self) -> None:
        self._loop.close()


class RedisDisk:
    """Implements ``Disk``."""

    def __init__(self, url: str, group: str) -> None:
        self.store: CheckpointStore = RedisStore(url, group)
        self._admin = Redis.from_url(url)
        self._keys = (checkpoint_key(group, 0), view_key(group, 0))
        self._loop = asyncio.new_event_loop()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(call)

    def copy(self) -> Image:
        # One by one: fakeredis answers a pipeline 40 ms late.
        return {key: self._admin.hgetall(key) for key in self._keys}

    def put_back(self, image: Image) -> None:
        self._admin.delete(*self._keys)
        for key, fields in image.items():
            if fields:
                self._admin.hset(key, mapping=fields)

    def position(self, image: Image) -> str:
        text: bytes = image[self._keys[0]].get(b"next", b"")
        return text.decode()

    def close(self) -> None:
        self.run(self.store.close())
        self._loop.close()
        self._admin.close()
