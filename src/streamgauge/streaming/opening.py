"""ASSIGN: acquire a partition number, check that the log is still the same, load what is stored.

Redis is the position authority: where Kafka's commit says otherwise, Redis is right. If Kafka
remembers the group and Redis has nothing, the state is lost: it is taken from the newest snapshot
that can be read and fits the log, and the records behind it are read again. Without one the
partition starts cold from the oldest record there is, with an alarm.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge.state.base import Acquired, CheckpointStore
from streamgauge.state.positions import Positions
from streamgauge.streaming.beginning import Beginner, Beginning, Loader
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.guard import Reload
from streamgauge.streaming.log import SourceLog
from streamgauge.streaming.pipeline_alarms import data_loss, state_lost
from streamgauge.streaming.snapshot_log import SnapshotLog
from streamgauge_client.events import AlarmEvent

logger = logging.getLogger(__name__)


class NotOurs(Exception):
    """Kafka no longer counts us as the owner: somebody younger holds the partition."""


@dataclass(slots=True)
class Opened:
    """A partition number that is ours, with everything needed to run it."""

    owner: str
    epoch: str
    #: The position text to write over; where to read on is in ``beginning``.
    base: Positions
    beginning: Beginning
    ends: Mapping[str, int]
    #: What Kafka remembers of the group, by full topic names.
    committed: Mapping[str, int]
    alarms: list[AlarmEvent]


async def open_partition(
    partition: int,
    *,
    generation: int,
    config: WorkerConfig,
    store: CheckpointStore,
    log: SourceLog,
    snapshots: SnapshotLog | None,
    load: Loader,
) -> Opened:
    """Acquire, validate and load. Raises what the caller must decide on."""
    bounds = {name: (await log.bounds())[config.full(name)] for name in config.names}
    starts = {name: b.start for name, b in bounds.items()}
    committed = await log.committed()
    owner = str(uuid.uuid4())
    first = Positions(0, starts, lost=bool(committed)).text
    acquired = await _acquire(
        partition, owner, generation, first, config=config, store=store, log=log
    )
    stored = await store.load(partition)
    if not stored.position:
        raise Reload("the checkpoint was gone before it could be loaded")
    # Read again: what was loaded is what the next write must find.
    base = Positions.parse(stored.position)
    beginner = Beginner(partition=partition, config=config, log=log, bounds=bounds, load=load)
    alarms: list[AlarmEvent] = []
    beginning = None
    if base.lost and snapshots is not None:
        beginning = await beginner.from_snapshot(snapshots)
    if base.lost and beginning is None:
        detail = ", ".join(f"{topic} at {offset}" for topic, offset in sorted(committed.items()))
        alarms.append(state_lost(config.group, partition, detail))
        logger.error("partition %d: %s", partition, alarms[-1].summary)
    beginning = beginning or await beginner.begin(stored)
    offsets = beginning.offsets
    for name, start in starts.items():
        if offsets[name] < start:
            alarm = data_loss(
                config.group, partition, config.full(name), position=offsets[name], start=start
            )
            logger.error("partition %d: %s", partition, alarm.summary)
            alarms.append(alarm)
            beginning.meta.lost += start - offsets[name]
            offsets[name] = start
    ends = {name: b.end for name, b in bounds.items()}
    return Opened(owner, acquired.epoch, base, beginning, ends, committed, alarms)


async def still_member(
    partition: int, *, config: WorkerConfig, store: CheckpointStore, log: SourceLog
) -> bool:
    """Ask Kafka: an offset commit succeeds only for a member of the present generation.

    It commits what Redis has, or else what Kafka has, so that nothing moves.
    """
    _, _, position = await store.holder(partition)
    stored = Positions.parse(position).offsets if position else {}
    known = {config.full(name): offset for name, offset in stored.items()}
    if not known:
        known = dict(await log.committed())
    if not known:
        known = {topic: bounds.start for topic, bounds in (await log.bounds()).items()}
    return await log.commit(known)


async def _acquire(
    partition: int,
    owner: str,
    generation: int,
    first: str,
    *,
    config: WorkerConfig,
    store: CheckpointStore,
    log: SourceLog,
) -> Acquired:
    acquired = await store.acquire(partition, owner=owner, generation=generation, first=first)
    if acquired.stale:
        # Either we are a zombie, or the group was deleted and counts from one again.
        if not await still_member(partition, config=config, store=store, log=log):
            raise NotOurs(f"partition {partition}: a younger generation than {generation} holds it")
        acquired = await store.acquire(
            partition, owner=owner, generation=generation, first=first, force=True
        )
    return acquired
