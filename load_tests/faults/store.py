"""What the monitor left in Redis: positions, state, outbox, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import redis

from streamgauge.state.keys import checkpoint_key, view_key
from streamgauge.state.positions import Positions

PARTITIONS = 4


class Store:
    """Reads the checkpoints of one consumer group. Every method may raise ``RedisError``."""

    def __init__(self, url: str, group: str) -> None:
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=2)
        self._group = group
        #: How many partitions the source topics have. A fault that gives them more says so.
        self.partitions = PARTITIONS

    def acquired(self) -> bool:
        """Whether every partition has an owner."""
        return all(self._get(number, "owner") for number in range(self.partitions))

    def generations(self) -> list[int]:
        """The Kafka generation under which each partition was acquired."""
        return [int(self._get(number, "gen") or 0) for number in range(self.partitions)]

    def positions(self) -> dict[int, int]:
        """The next prediction of each partition, as the last checkpoint has it."""
        found = {}
        for number in range(self.partitions):
            text = self._get(number, "next")
            offsets = Positions.parse(text.decode() if text else "#0").offsets
            found[number] = offsets.get("predictions", 0)
        return found

    def checkpoints(self) -> int:
        """How many checkpoints were written, over all partitions."""
        texts = [self._get(number, "next") for number in range(self.partitions)]
        return sum(Positions.parse(text.decode()).checkpoint for text in texts if text)

    def outbox(self) -> int:
        """Alarms that are durable and have not left, over all partitions."""
        keys = [checkpoint_key(self._group, number) for number in range(self.partitions)]
        return sum(name.startswith(b"o:") for key in keys for name in self._redis.hkeys(key))

    def state(self, number: int) -> dict[str, bytes]:
        """The state blobs of a partition, by field."""
        fields = self._redis.hgetall(checkpoint_key(self._group, number))
        return {name[2:].decode(): v for name, v in fields.items() if name.startswith(b"s:")}

    def view(self, number: int) -> Mapping[str, Any]:
        """The partition's own view: counts by ``kind/outcome``, and what was lost."""
        found = self._redis.hget(view_key(self._group, number), "_")
        view: Mapping[str, Any] = orjson.loads(found) if found else {}
        return view

    def close(self) -> None:
        self._redis.close()

    def _get(self, number: int, field: str) -> bytes | None:
        found: bytes | None = self._redis.hget(checkpoint_key(self._group, number), field)
        return found


def moved(since: Mapping[int, int], now: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    """Whether every partition with records beyond ``since`` has made a checkpoint further on."""
    waiting = [number for number, end in ends.items() if end > since.get(number, 0)]
    return bool(waiting) and all(now[number] > since.get(number, 0) for number in waiting)
