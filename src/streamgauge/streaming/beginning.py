"""What a partition number goes on from: state that can be read, at positions that the log has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamgauge.processing import PartitionProcessor, StateError
from streamgauge.state.base import Stored
from streamgauge.state.positions import Positions
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.log import Bounds, SourceLog
from streamgauge.streaming.meta import LastRecord, Meta
from streamgauge.streaming.refusal import Refused, log_truncated
from streamgauge.streaming.same_log import check_same_log
from streamgauge.streaming.snapshot_log import SnapshotLog, complete_ones

logger = logging.getLogger(__name__)

#: Makes a processor of state blobs. Raises ``StateError``.
Loader = Callable[[Mapping[str, bytes]], PartitionProcessor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """State, and where to read on, by name. ``restored``: the store has nothing of it."""

    offsets: dict[str, int]
    meta: Meta
    stored: Stored
    processor: PartitionProcessor
    restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginner:
    """Tries what one partition number could begin with."""

    partition: int
    config: WorkerConfig
    log: SourceLog
    #: Bounds of the source topics, by name.
    bounds: Mapping[str, Bounds]
    load: Loader

    async def begin(self, stored: Stored, *, restored: bool = False) -> Beginning:
        """Check it against the log, and load it. Raises ``Refused`` or ``StateError``."""
        known = Positions.parse(stored.position).offsets
        offsets = {name: known.get(name, bounds.start) for name, bounds in self.bounds.items()}
        meta = Meta.from_bytes(stored.meta) if stored.meta else Meta()
        for name, offset in offsets.items():
            meta.first.setdefault(name, offset)
        for name, offset in offsets.items():
            await self._check_truncation(name, offset, meta.records.get(name))
        return Beginning(
            offsets=offsets,
            meta=meta,
            stored=stored,
            processor=self.load(stored.blobs),
            restored=restored,
        )

    async def from_snapshot(self, snapshots: SnapshotLog) -> Beginning | None:
        """Begin with the newest snapshot that is of any use; None without one."""
        group, partition = self.config.group, self.partition
        key = self.config.seal_key
        for found in await complete_ones(snapshots, partition, group, key=key):
            number, position = found.number, found.stored.position
            try:
                beginning = await self.begin(found.stored, restored=True)
            except (StateError, Refused) as why:
                logger.warning("partition %d: snapshot %d is of no use: %s", partition, number, why)
                continue
            logger.warning(
                "partition %d: Redis has lost its state; restored from snapshot %d, at %s",
                partition,
                number,
                position,
            )
            return beginning
        return None

    async def _check_truncation(self, name: str, offset: int, last: LastRecord | None) -> None:
        group, topic, (start, end) = self.config.group, self.config.full(name), self.bounds[name]
        if end < offset:
            why = f"{topic} ends at {end}, before the position {offset}: it was made anew or cut"
            raise log_truncated(group, self.partition, topic, position=offset, why=why)
        if last is None or last.offset < start:
            return
        await check_same_log(
            self.log, topic, last, group=group, partition=self.partition, position=offset
        )
