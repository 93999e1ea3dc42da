"""One compare-and-set until its verdict is known: OK, FENCED or CONFLICT.

A refusal for now is tried again with the same arguments; a lost answer is resolved by reading
back who holds the partition and where it stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from streamgauge.state.base import (
    Checkpoint,
    CheckpointStore,
    StoreAmbiguous,
    StoreUnavailable,
    Verdict,
)
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class Checkpointer:
    """Writes the checkpoints of one assignment of one partition number."""

    def __init__(
        self,
        store: CheckpointStore,
        partition: int,
        *,
        owner: str,
        epoch: str,
        telemetry: WorkerTelemetry,
        away: Callable[[str], None],
    ) -> None:
        self.owner = owner
        self.epoch = epoch
        self._store = store
        self._partition = partition
        self._telemetry = telemetry
        #: Told why the store is away, and by an empty text that it is back.
        self._away = away

    async def put(self, write: Checkpoint) -> Verdict:
        """Write, however long it takes. Cancelling leaves it open whether it was written."""
        started = time.monotonic()
        pause = FIRST_PAUSE
        unknown = sent_before = False
        while True:
            try:
                verdict = await (self._read_back(write) if unknown else self._send(write))
                if verdict == "CONFLICT" and sent_before and not unknown:
                    # It may be our own earlier attempt, arrived late, that stands in the way.
                    verdict = await self._read_back(write)
            except (StoreUnavailable, StoreAmbiguous) as error:
                lost_answer = isinstance(error, StoreAmbiguous)
                self._count("ambiguous" if lost_answer else "unavailable")
                unknown = unknown or lost_answer
                sent_before = sent_before or lost_answer
                self._away(str(error))
                logger.warning(
                    "partition %d is paused: %s; next try in %.1f s", self._partition, error, pause
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            unknown = False
            self._away("")
            if verdict is not None:
                self._telemetry.checkpoints[verdict.lower()] += 1
                self._telemetry.checkpoint_seconds.append(time.monotonic() - started)
                return verdict

    async def _send(self, write: Checkpoint) -> Verdict:
        return await self._store.checkpoint(
            self._partition, owner=self.owner, epoch=self.epoch, write=write
        )

    async def _read_back(self, write: Checkpoint) -> Verdict | None:
        """What became of a write whose answer was lost. None: nothing, it may be sent again."""
        owner, epoch, position = await self._store.holder(self._partition)
        if (owner, epoch) != (self.owner, self.epoch):
            return "FENCED"
        if position == write.position:
            return "OK"
        return None if position == write.base else "CONFLICT"

    def _count(self, result: str) -> None:
        self._telemetry.checkpoints[result] += 1
        self._telemetry.redis_errors[result] += 1
