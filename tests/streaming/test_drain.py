"""A revoked partition is given up in time, whatever the store and Kafka do."""

from __future__ import annotations

import time

import pytest

from tests.streaming.fakes import PREDICTIONS, FakeLog, Rig


@pytest.mark.parametrize("away", ["store", "kafka"])
async def test_a_drain_ends_at_its_deadline_and_memory_is_dropped(away: str) -> None:
    # Given a checkpoint that can't be written: the store is away, or its dead letters can't leave
    log = FakeLog()
    log.append(PREDICTIONS, 5)
    rig = Rig(log=log)
    rig.worker.start()
    if away == "store":
        rig.store.faults = ["away"] * 10**6
    else:
        log.append(PREDICTIONS, value=b"bad")
        rig.publisher.failures = 10**6
    await rig.until(lambda: bool(rig.processors and rig.processors[0].taken))
    # When it is revoked
    begun = time.monotonic()
    await rig.worker.drain(0.3)
    # Then it is gone after the deadline, and the next owner reads everything again.
    assert time.monotonic() - begun < 2.0
    assert (rig.worker.state, rig.worker.failure) == ("unassigned", None)
    rig.store.faults.clear()
    again = Rig(log=log, store=rig.store)
    async with again:
        await again.settled()
        assert again.partition.counts["prediction/ok"] == 5


async def test_lost_is_dropped_at_once_and_writes_nothing() -> None:
    log = FakeLog()
    log.append(PREDICTIONS, 5)
    rig = Rig(log=log)
    rig.worker.start()
    await rig.settled()
    writes = len(rig.store.past)
    rig.worker.feed(log.chunk(PREDICTIONS, 0, 5))
    log.append(PREDICTIONS, 5)
    await rig.worker.lose()
    assert (rig.worker.state, len(rig.store.past)) == ("unassigned", writes)
