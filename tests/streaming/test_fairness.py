"""A partition with a backlog leaves the loop to others between its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from streamgauge.processing import Effects, LogRecord
from tests.streaming.counting import CountingProcessor
from tests.streaming.fakes import CONFIG, PREDICTIONS, FakeLog, Rig


async def test_others_have_their_turn_after_every_step() -> None:
    # Given somebody who wants the loop all the time, and a thousand records in steps of twenty
    turns = 0
    seen: list[int] = []

    class Watching(CountingProcessor):
        def process(self, records: Sequence[LogRecord]) -> Effects:
            seen.append(turns)
            return super().process(records)

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    log = FakeLog()
    log.append(PREDICTIONS, 1000)
    rig = Rig(log=log, config=replace(CONFIG, max_step_records=20, checkpoint_min_seconds=60.0))
    rig.chunk_size = 1000
    rig.worker._factory = Watching
    busy = asyncio.create_task(other())
    async with rig:
        await rig.until(lambda: len(seen) >= 50)
    busy.cancel()
    # Then no two steps came in a row
    assert len(seen) == len(set(seen)) == 50
