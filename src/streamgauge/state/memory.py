"""A checkpoint store in memory: for tests and backtests, gone at exit."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamgauge.state.base import Acquired, Checkpoint, Stored, Verdict


@dataclass(slots=True)
class _Hash:
    owner: str = ""
    epoch: int = 0
    generation: int = -1
    position: str = ""
    meta: bytes | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    outbox: dict[str, bytes] = field(default_factory=dict)
    views: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """Implements ``CheckpointStore`` in one process."""

    def __init__(self) -> None:
        self._hashes: dict[int, _Hash] = {}

    async def acquire(
        self, partition: int, *, owner: str, generation: int, first: str, force: bool = False
    ) -> Acquired:
        h = self._hashes.get(partition, _Hash())
        if generation < h.generation and not force:
            return Acquired("", "", stale=True)
        self._hashes[partition] = h
        created = not h.position
        h.position = h.position or first
        h.epoch += 1
        h.owner, h.generation = owner, generation
        return Acquired(str(h.epoch), h.position, created=created)

    async def load(self, partition: int) -> Stored:
        h = self._hashes.get(partition, _Hash())
        return Stored(h.position, h.meta, dict(h.blobs), dict(h.outbox))

    async def holder(self, partition: int) -> tuple[str, str, str]:
        h = self._hashes.get(partition)
        return (h.owner, str(h.epoch), h.position) if h else ("", "", "")

    async def checkpoint(
        self, partition: int, *, owner: str, epoch: str, write: Checkpoint
    ) -> Verdict:
        h = self._hashes.get(partition, _Hash())
        if (h.owner, str(h.epoch)) != (owner, epoch):
            return "FENCED"
        if h.position != write.base:
            return "CONFLICT"
        for kept, written in ((h.blobs, write.blobs), (h.views, write.views)):
            kept.update(written)
            for name in [name for name, content in written.items() if not content]:
                del kept[name]
        for key, payload in write.outbox.items():
            h.outbox.setdefault(key, payload)
        h.position, h.meta = write.position, write.meta
        return "OK"

    async def published(self, partition: int, ids: list[str]) -> None:
        h = self._hashes.get(partition, _Hash())
        for key in ids:
            h.outbox.pop(key, None)

    async def close(self) -> None:
        """Nothing to give up."""

    def views(self, partition: int) -> dict[str, bytes]:
        """What readers would find in the view hash."""
        return dict(self._hashes.get(partition, _Hash()).views)
