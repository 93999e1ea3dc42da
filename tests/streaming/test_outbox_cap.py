"""An outbox that nobody empties: the oldest alarms stay, the others are counted and said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.streaming.counting import EVERY
from tests.streaming.fakes import CONFIG, PREDICTIONS, FakeLog, Rig

SMALL = replace(CONFIG, max_outbox_entries=3)


async def test_with_kafka_away_for_long_the_oldest_alarms_stay_and_the_loss_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a Kafka that takes nothing while eight alarms are raised, one after the other
    log = FakeLog()
    rig = Rig(log=log, config=SMALL)
    rig.publisher.failures = 10**9
    async with rig:
        for _ in range(8):
            log.append(PREDICTIONS, EVERY)
            await rig.until(lambda: rig.durable() == log.ends)
        # Then checkpoints went on, and three wait, with one that says so
        assert rig.partition.outbox_entries == 4
        assert len((await rig.store.load(0)).outbox) == 4
        assert rig.telemetry.outbox_dropped == 5
        assert "outbox of partition 0 is full" in caplog.text
        # When Kafka is back, the oldest three leave, and the word about the others once
        rig.publisher.failures = 0
        await rig.settled()
        assert [f"0/m/{EVERY * n}" for n in (1, 2, 3)] == summaries(rig)
        assert rig.alarms_of("OutboxFull") == 1
        # And there is room again.
        log.append(PREDICTIONS, EVERY)
        await rig.settled()
        assert summaries(rig)[-1] == f"0/m/{EVERY * 9}"
        assert rig.telemetry.outbox_dropped == 5
        # Until the next time, of which another word tells.
        rig.publisher.failures = 10**9
        log.append(PREDICTIONS, 4 * EVERY)
        await rig.until(lambda: rig.durable() == log.ends)
        rig.publisher.failures = 0
        await rig.settled()
        assert (rig.telemetry.outbox_dropped, rig.alarms_of("OutboxFull")) == (6, 2)


def summaries(rig: Rig) -> list[str]:
    """What the processor's alarms say, in the order in which they left."""
    found = [r.value or b"" for r in rig.publisher.of("alarms") if r.key != b"_stream"]
    return [value.split(b'"summary":"')[1].split(b'"')[0].decode() for value in found]


async def test_entries_of_a_restored_snapshot_are_never_dropped() -> None:
    # Given a snapshot of a full outbox, and of the word about it on top
    log = FakeLog()
    rig = Rig(log=log, config=replace(SMALL, snapshot_seconds=0.01))
    rig.publisher.failures = 10**9
    async with rig:
        log.append(PREDICTIONS, 5 * EVERY)
        await rig.until(lambda: rig.durable() == log.ends and rig.log.commits == log.ends)
        await rig.until(lambda: rig.partition.unsaved_since is None and bool(rig.taken()))
        waiting = set(rig.taken()[0].stored.outbox)
        assert len(waiting) == 4
    # When Redis loses everything while more alarms are raised
    rig.store.wipe()
    log.append(PREDICTIONS, 2 * EVERY)
    rig.worker = rig.new_worker()
    async with rig:
        await rig.until(lambda: rig.durable() == log.ends)
        assert waiting <= set((await rig.store.load(0)).outbox)
