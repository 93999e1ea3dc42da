"""Snapshots of a partition number, and what a wiped store is given back from them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from streamgauge.processing import StateError
from streamgauge.state.base import Stored
from streamgauge.state.packing import pack
from streamgauge.state.positions import Positions
from streamgauge.streaming import aside, snapshot, snapshot_log
from streamgauge.streaming.snapshot import Entry, Snapshot, prefix, read_back, written_down
from tests.streaming.counting import CountingProcessor
from tests.streaming.fakes import CONFIG, LABELS, PREDICTIONS, FakeLog, FakeSnapshotLog, Rig

OFTEN = replace(CONFIG, snapshot_seconds=0.01)
NEVER = replace(CONFIG, snapshot_seconds=1e9)


def taken(number: int, at: int, *, size: int = 10) -> Snapshot:
    stored = Stored(f"#{number};predictions={at}", b"{}", {"m": b"x" * size}, {"a": b"alarm"})
    return Snapshot(number=number, taken_at=5.0, stored=stored)


def topic(*snapshots: Snapshot, key: bytes = b"") -> dict[bytes, bytes]:
    return {k: v for each in snapshots for k, v in written_down(each, "g", 0, key=key)}


def there(records: dict[bytes, bytes], key: bytes = b"") -> list[int]:
    return [found.number for found in read_back(records, "g", 0, key=key)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PART_BYTES", 100)


# -- what lies in the topic --------------------------------------------------------------------


def test_a_snapshot_is_read_back_as_it_was() -> None:
    one = taken(1, 50, size=1000)
    records = topic(one)
    assert len(records) > 10
    assert all(key.startswith(prefix("g", 0)) for key in records)
    assert read_back(records, "g", 0, key=b"") == [one]
    assert read_back(records, "g", 1, key=b"") == []


def test_an_incomplete_snapshot_leaves_the_older_one() -> None:
    older = topic(taken(1, 50, size=1000))
    newer = list(topic(taken(2, 90, size=1000)).items())
    for written in range(len(newer)):
        assert there({**older, **dict(newer[:written])}) == [1]
    assert there({**older, **dict(newer)}) == [2, 1]


def test_a_slot_that_is_half_overwritten_is_damaged_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = topic(taken(1, 50, size=1000), taken(2, 90, size=1000))
    third = list(topic(taken(3, 95, size=990)).items())
    assert there({**both, **dict(third[:3])}) == [2]
    assert "part 1 of 11 is of another snapshot" in caplog.text


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_damaged_record_leaves_the_older_one(place: int) -> None:
    newer = list(topic(taken(2, 90, size=1000)).items())
    name, value = newer[place]
    newer[place] = name, value[:-1] + bytes([value[-1] ^ 1])
    assert there({**topic(taken(1, 50)), **dict(newer)}) == [1]


def test_of_two_complete_ones_the_one_further_in_the_log_is_newer() -> None:
    # Given one that a worker wrote late, long after another had written more
    late = topic(taken(4, 300), taken(3, 200))
    assert there(late) == [4, 3]
    assert there(topic(taken(4, 200), taken(3, 300))) == [3, 4]


def test_another_key_and_a_newer_schema_are_not_read(caplog: pytest.LogCaptureFixture) -> None:
    sealed = topic(taken(1, 50), key=b"secret")
    assert there(sealed, key=b"secret") == [1]
    assert there(sealed, key=b"other") == []
    newer = {**topic(taken(1, 50)), b"g/0/1": pack([snapshot.SCHEMA + 1, "who knows"])}
    assert there(newer) == []
    assert "of schema 2; this version reads 1" in caplog.text


# -- when they are taken -----------------------------------------------------------------------


async def test_it_is_taken_at_the_interval_and_only_when_something_changed() -> None:
    rig = Rig(config=OFTEN)
    rig.log.append(PREDICTIONS, 30)
    async with rig:
        await rig.settled()
        await rig.until(lambda: rig.partition.unsaved_since is None and bool(rig.taken()))
        # When nothing comes any more
        n = rig.telemetry.snapshots["ok"]
        ticks = rig.processors[-1].advanced
        seen = len(ticks)
        await rig.until(lambda: len(ticks) > seen + 20)
        assert rig.telemetry.snapshots["ok"] == n
        rig.log.append(PREDICTIONS)
        await rig.until(lambda: rig.telemetry.snapshots["ok"] > n)
    assert rig.telemetry.snapshots["failed"] == 0


async def test_a_farewell_leaves_one_behind() -> None:
    rig = Rig(config=NEVER)
    async with rig:
        assert not rig.taken()
        rig.log.append(PREDICTIONS, 250)
        await rig.settled()
        assert rig.partition.snapshot_age() > 0
    (found,) = rig.taken()
    assert found.stored.blobs == rig.state()
    assert found.stored.outbox == {}
    # A second owner writes beside it.
    rig.worker = rig.new_worker()
    async with rig:
        rig.log.append(PREDICTIONS)
        await rig.settled()
    assert [each.number for each in rig.taken()] == [2, 1]


async def test_a_partition_without_a_checkpoint_has_nothing_to_snapshot() -> None:
    async with Rig(config=OFTEN) as rig:
        await rig.until(lambda: len(rig.processors[-1:]) == 1 and rig.worker.state == "running")
    assert rig.snapshots.entries == {}


async def test_a_topic_that_takes_nothing_is_said_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(config=OFTEN)
    rig.snapshots.takes = 2
    rig.log.append(PREDICTIONS, 30)
    async with rig:
        await rig.until(lambda: rig.telemetry.snapshots["failed"] > 1)
        assert "no snapshot was taken" in caplog.text
        # Records are not held up.
        await rig.settled()
        rig.snapshots.takes = None
        await rig.until(lambda: rig.telemetry.snapshots["ok"] > 0)


class Hanging(FakeSnapshotLog):
    """Never acknowledges anything."""

    async def write(self, number: int, entries: Sequence[Entry]) -> None:
        await asyncio.Event().wait()


async def test_a_topic_that_does_not_answer_holds_no_farewell_up() -> None:
    rig = Rig(config=NEVER, snapshots=Hanging())
    rig.log.append(PREDICTIONS, 30)
    rig.worker.start()
    await rig.settled()
    await rig.worker.drain(0.1)
    assert rig.worker.state == "unassigned"
    assert rig.durable()[PREDICTIONS] == 30


# -- after a wipe ------------------------------------------------------------------------------


async def undisturbed(log: FakeLog) -> tuple[dict[str, bytes], list[str]]:
    same = FakeLog()
    same.records, same.starts, same.ends = dict(log.records), dict(log.starts), dict(log.ends)
    async with Rig(log=same) as rig:
        await rig.settled()
        return rig.state(), rig.publisher.alarm_ids()


def more(log: FakeLog, n: int) -> None:
    for i in range(n):
        log.append(PREDICTIONS, model=f"m{i % 3}")
        if i % 5 == 0:
            log.append(LABELS, model=f"m{i % 2}")


async def filled(rig: Rig) -> None:
    """A log of which one half is in a snapshot, and the other in the store alone."""
    async with rig:
        more(rig.log, 400)
        rig.log.append(PREDICTIONS, model="quiet")
        await rig.settled()
    rig.snapshots.takes = 0
    rig.worker = rig.new_worker()
    async with rig:
        more(rig.log, 300)
        await rig.settled()
        await rig.until(lambda: rig.log.commits == rig.log.ends)
    rig.snapshots.takes = None


async def test_a_wipe_gives_the_state_and_the_alarms_of_no_wipe() -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    expected = await undisturbed(rig.log)
    views = rig.store.views(0)
    # Given that the log holds no more than what came after the snapshot
    kept = Positions.parse(rig.taken()[0].stored.position).offsets
    for name, offset in kept.items():
        rig.log.delete_before(CONFIG.full(name), offset)
    rig.store.wipe()
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
        assert (rig.telemetry.state_restored, rig.telemetry.state_lost) == (1, 0)
    assert rig.alarms_of("StateLost") == 0
    assert rig.alarms_of("DataLoss") == 0
    assert (rig.state(), sorted(set(rig.publisher.alarm_ids()))) == (
        expected[0],
        sorted(expected[1]),
    )
    # The model that said nothing since is there again too, for readers and for the next owner.
    assert rig.store.views(0).keys() == views.keys()
    assert rig.store.views(0)["quiet"] == views["quiet"]


@pytest.mark.parametrize("large", [0, 1_000_000], ids=["in a thread", "at once"])
async def test_a_wipe_of_a_running_worker_is_restored_as_well(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "LARGE", large)
    threads: set[str] = set()

    def noted(*args: Any, **options: Any) -> list[Snapshot]:
        threads.add(threading.current_thread().name)
        return read_back(*args, **options)

    monkeypatch.setattr(snapshot_log, "read_back", noted)
    rig = Rig(config=OFTEN)
    async with rig:
        more(rig.log, 300)
        await rig.settled()
        await rig.until(lambda: rig.partition.unsaved_since is None and bool(rig.taken()))
        rig.store.wipe()
        more(rig.log, 100)
        threads.clear()
        await rig.until(lambda: rig.telemetry.state_restored == 1)
        assert ("MainThread" in threads) == bool(large)
        await rig.settled()
    state, alarms = await undisturbed(rig.log)
    assert (rig.state(), set(rig.publisher.alarm_ids())) == (state, set(alarms))
    assert rig.alarms_of("StateLost") == 0


async def test_a_crash_during_the_restore_restores_again() -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    expected = await undisturbed(rig.log)
    rig.store.wipe()
    # When the first checkpoint is not written before the worker dies
    rig.store.faults = ["away"] * 10_000
    rig.worker = rig.new_worker()
    rig.worker.start()
    await rig.until(lambda: rig.worker.state == "paused")
    await rig.worker.lose()
    assert (await rig.store.load(0)).position == "#0;lost"
    rig.store.faults = []
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
        assert rig.telemetry.state_restored == 2
    assert rig.state() == expected[0]


async def test_alarms_that_had_not_left_are_in_the_snapshot() -> None:
    rig = Rig(config=OFTEN)
    rig.publisher.failures = 10_000
    async with rig:
        rig.log.append(PREDICTIONS, 100)
        await rig.until(lambda: bool(rig.taken()) and rig.durable()[PREDICTIONS] == 100)
        await rig.until(lambda: len(rig.taken()[0].stored.outbox) == 1)
        await rig.until(lambda: rig.log.commits == rig.log.ends)
        await rig.worker.lose()
    rig.log.delete_before(PREDICTIONS, 100)
    rig.store.wipe()
    rig.publisher.failures = 0
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
    assert len(rig.publisher.alarm_ids()) == 1


async def test_a_snapshot_below_the_start_of_the_log_loses_exactly_what_is_gone() -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    at = Positions.parse(rig.taken()[0].stored.position).offsets["predictions"]
    rig.log.delete_before(PREDICTIONS, at + 7)
    rig.store.wipe()
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
    assert rig.partition.lost == 7
    assert rig.alarms_of("DataLoss") == 1
    assert rig.alarms_of("StateLost") == 0


async def test_a_state_that_the_processor_refuses_leaves_the_older_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    rig.worker = rig.new_worker()
    async with rig:  # takes another
        rig.log.append(PREDICTIONS, model="newer")
        await rig.settled()
    assert len(rig.taken()) == 2
    rig.store.wipe()

    class Older(CountingProcessor):
        def restore(self, blobs: object) -> None:
            assert isinstance(blobs, dict)
            if "newer" in blobs:
                raise StateError("state of schema 9; this version reads 3")
            super().restore(blobs)

    monkeypatch.setattr(rig, "_processor", Older)
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
    assert "of schema 9" in caplog.text
    assert rig.telemetry.state_restored == 1
    assert rig.state() == (await undisturbed(rig.log))[0]


async def test_a_snapshot_of_another_log_is_not_taken_up() -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    # Given topics that were made anew, under the same names, and committed to
    anew = FakeLog()
    anew.append(PREDICTIONS, 900, value=b"other")
    anew.commits = {PREDICTIONS: 3}
    rig.store.wipe()
    rig.log = anew
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
    assert (rig.telemetry.state_restored, rig.telemetry.state_lost) == (0, 1)
    assert rig.alarms_of("StateLost") == 1
    assert rig.partition.counts == {"prediction/ok": 900}


async def test_without_a_snapshot_a_wipe_is_said_as_ever() -> None:
    rig = Rig(config=NEVER)
    await filled(rig)
    rig.snapshots.entries.clear()
    rig.store.wipe()
    rig.worker = rig.new_worker()
    async with rig:
        await rig.settled()
    assert (rig.telemetry.state_restored, rig.telemetry.state_lost) == (0, 1)
    assert rig.alarms_of("StateLost") == 1


async def test_the_snapshots_are_asked_only_where_the_state_is_gone() -> None:
    rig = Rig(config=NEVER)
    rig.log.append(PREDICTIONS, 10)
    async with rig:
        await rig.settled()
        assert rig.snapshots.reads == 0
