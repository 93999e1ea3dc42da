"""When snapshots are taken: every few minutes, and at a farewell, where something has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from streamgauge.state.base import CheckpointStore
from streamgauge.state.positions import Positions
from streamgauge.streaming import snapshot
from streamgauge.streaming.aside import aside
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.snapshot import Snapshot
from streamgauge.streaming.snapshot_log import SnapshotLog, complete_ones
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)

#: At a farewell. With that of the outbox it is within the worker's deadline.
LAST_SECONDS = 2.0


class Snapshotter:
    """Takes the snapshots of one opened partition number: one at a time, in a task of its own.

    What it writes is read back from the store, so it is of one checkpoint, and that is durable.
    Without a ``log`` there are no snapshots.
    """

    def __init__(
        self,
        number: int,
        *,
        config: WorkerConfig,
        store: CheckpointStore,
        log: SnapshotLog | None,
        clock: Callable[[], float],
        telemetry: WorkerTelemetry,
    ) -> None:
        self._number = number
        self._config = config
        self._store = store
        self._log = log
        self._clock = clock
        self._totals = telemetry
        self._telemetry = telemetry.partition(number)
        self._telemetry.unsaved_since = None
        #: Position text of the newest snapshot. What the last owner took, nobody knows.
        self._taken = ""
        #: Number of the newest complete one; the next goes to the other slot.
        self._newest: int | None = None
        # Partitions that were assigned together are not all written in the same moment.
        self._tried = time.monotonic() - config.snapshot_seconds * (number % 10) / 20
        self._task: asyncio.Task[None] | None = None

    def look(self, durable: Positions) -> None:
        """Begin one where it is due."""
        if self._holds(durable):
            return
        now = time.monotonic()
        # Also without a log: that nothing is ever saved must not look healthy.
        self._telemetry.unsaved_since = self._telemetry.unsaved_since or now
        waits = self._task is not None or now - self._tried < self._config.snapshot_seconds
        if self._log is not None and not waits:
            self._tried = now
            self._begin(self._log)

    async def last(self, durable: Positions) -> None:
        """The one of a farewell, if there is the time. What is under way may end first."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if self._task is not None:
                    await self._task
                if self._log is not None and not self._holds(durable):
                    await self._begin(self._log)
        except TimeoutError:
            self._failed(f"it took more than {LAST_SECONDS:g} s")

    async def close(self) -> None:
        """Give up what is under way: it has no manifest, and counts for nothing."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _holds(self, durable: Positions) -> bool:
        """Whether there is nothing to write: no checkpoint yet, or none since."""
        return durable.checkpoint == 0 or durable.text == self._taken

    def _begin(self, log: SnapshotLog) -> asyncio.Task[None]:
        self._task = asyncio.create_task(self._run(log), name=f"snapshot-{self._number}")
        return self._task

    async def _run(self, log: SnapshotLog) -> None:
        try:
            await self._take(log)
        except Exception as error:  # nobody looks at this task, and records must go on
            self._failed(repr(error))
        finally:
            self._task = None

    async def _take(self, log: SnapshotLog) -> None:
        stored = await self._store.load(self._number)
        if not stored.position or Positions.parse(stored.position).checkpoint == 0:
            return  # wiped meanwhile: an empty snapshot would take the place of a good one
        if self._newest is None:
            self._newest = await self._last_owners(log)
        made = Snapshot(number=self._newest + 1, taken_at=self._clock(), stored=stored)
        group, key = self._config.group, self._config.seal_key
        *parts, manifest = await aside(
            made.size, lambda: snapshot.written_down(made, group, self._number, key=key)
        )
        await log.write(self._number, parts)
        await log.write(self._number, [manifest])
        self._newest = made.number
        self._taken = stored.position
        self._telemetry.unsaved_since = None
        self._totals.snapshots["ok"] += 1
        self._totals.snapshot_bytes.append(sum(len(entry.value) for entry in parts))
        logger.info("partition %d: snapshot %d, at %s", self._number, made.number, stored.position)

    async def _last_owners(self, log: SnapshotLog) -> int:
        """Ask the topic: whoever was here before may have ended between two records."""
        group, key = self._config.group, self._config.seal_key
        found = await complete_ones(log, self._number, group, key=key)
        return found[0].number if found else 0

    def _failed(self, why: str) -> None:
        self._totals.snapshots["failed"] += 1
        logger.warning(
            "partition %d: no snapshot was taken: %s. The older one stays", self._number, why
        )
