"""The checkpoint store: what a worker needs of Redis, and what the answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Acquired:
    """A partition number is ours: the epoch to write under, and the durable position text.

    ``created`` says that there was no checkpoint before; ``stale`` that a younger Kafka generation
    holds it, and nothing was changed.
    """

    epoch: str
    position: str
    created: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One compare-and-set: state, positions, views and outbox in one write.

    ``base`` is the position text that must still stand, ``position`` the one to put there.
    ``outbox`` maps an entry's id to its bytes. A blob or view without bytes is gone.
    """

    base: str
    position: str
    meta: bytes
    blobs: Mapping[str, bytes]
    views: Mapping[str, bytes]
    outbox: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of everything in it."""
        parts = (self.blobs, self.views, self.outbox)
        contents = sum(len(name) + len(data) for part in parts for name, data in part.items())
        return contents + len(self.meta) + len(self.base) + len(self.position)


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything a partition number has in the store."""

    position: str
    meta: bytes | None
    blobs: Mapping[str, bytes]
    outbox: Mapping[str, bytes]


Verdict = Literal["OK", "FENCED", "CONFLICT"]


class StoreUnavailable(Exception):
    """The store can't serve now (away, loading, read-only, out of memory). Nothing was written."""


class StoreAmbiguous(Exception):
    """The connection broke while a write was under way: it may have happened or not."""


class StateTooLarge(Exception):
    """The store can never take a checkpoint of this size. Nothing was written."""


class CheckpointStore(Protocol):
    """One hash per (group, partition number), written by compare-and-set alone."""

    async def acquire(
        self, partition: int, *, owner: str, generation: int, first: str, force: bool = False
    ) -> Acquired:
        """Become the owner: raise the epoch, keep everything else."""

    async def load(self, partition: int) -> Stored:
        """Read state, position and outbox."""

    async def holder(self, partition: int) -> tuple[str, str, str]:
        """Owner, epoch and position as they stand; empty strings where there is none."""

    async def checkpoint(
        self, partition: int, *, owner: str, epoch: str, write: Checkpoint
    ) -> Verdict:
        """Write if owner, epoch and base position still stand.

        Raises ``StoreUnavailable``, ``StoreAmbiguous`` or ``StateTooLarge``.
        """

    async def published(self, partition: int, ids: list[str]) -> None:
        """Remove outbox entries that Kafka has acknowledged."""

    async def close(self) -> None:
        """Give up the connection."""
