"""The partition worker's protocol, step by step, on a log, a store and a publisher in memory."""

from __future__ import annotations

import gc
import hashlib
import time
import weakref
from dataclasses import replace

import pytest

from streamgauge.state.views import PartitionView
from streamgauge.streaming import partition, session
from streamgauge.streaming.poison import MOST_IN_A_ROW
from tests.streaming.fakes import CONFIG, LABELS, PREDICTIONS, FakeLog, FaultyStore, Rig


def filled(n: int = 350) -> FakeLog:
    log = FakeLog()
    for i in range(n):
        log.append(PREDICTIONS, model=f"m{i % 2}")
        if i % 5 == 0:
            log.append(LABELS, model=f"m{i % 2}")
    return log


async def oracle(log: FakeLog) -> tuple[dict[str, bytes], list[str]]:
    """State and alarm ids of an undisturbed pass over the same log."""
    same = FakeLog()
    same.records, same.starts, same.ends = log.records, dict(log.starts), dict(log.ends)
    async with Rig(log=same) as rig:
        await rig.settled()
        return rig.state(), rig.publisher.alarm_ids()


async def test_every_record_is_counted_and_every_alarm_leaves_once() -> None:
    async with Rig(log=filled(450)) as rig:
        await rig.settled()
        assert rig.partition.counts == {"prediction/ok": 450, "label/ok": 90}
        assert len(rig.publisher.alarm_ids()) == len(set(rig.publisher.alarm_ids())) == 4
        # Kafka's commit is a hint, never ahead; here it has caught up.
        await rig.until(lambda: rig.log.commits == rig.log.ends)
        view = PartitionView.model_validate_json(rig.store.views(0)["_"])
        assert view.positions["predictions"] == 450
        assert view.counts == rig.partition.counts
        assert (view.written_at, view.lag) == (5000.0, 0)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_however_the_log_is_cut_state_and_alarms_are_the_same(size: int) -> None:
    log = filled()
    expected = await oracle(log)
    rig = Rig(log=log)
    rig.chunk_size = size
    async with rig:
        await rig.settled()
    assert (rig.state(), rig.publisher.alarm_ids()) == expected


async def test_a_trickle_is_gathered_into_few_steps() -> None:
    # Given a broker that answers with three records at a time
    rig = Rig(log=filled(150), config=replace(CONFIG, gather_seconds=0.1))
    rig.chunk_size = 3
    # When it has answered some sixty times
    async with rig:
        await rig.settled()
        steps = rig.processors[0].steps
    # Then the price of a step was not paid for each answer
    assert steps <= 15
    assert rig.partition.counts == {"prediction/ok": 150, "label/ok": 30}


async def test_a_rest_between_small_steps_ends_when_the_worker_drains() -> None:
    rig = Rig(log=filled(10), config=replace(CONFIG, gather_seconds=60.0))
    async with rig:
        await rig.until(lambda: bool(rig.processors and rig.processors[0].steps))
        begun = time.monotonic()
    assert time.monotonic() - begun < 2.0
    assert rig.store.views(0)


async def test_a_replay_from_nothing_gives_the_same_alarm_ids() -> None:
    log = filled()
    expected = await oracle(log)
    async with Rig(log=log) as rig:
        await rig.settled()
        rig.store.wipe()
        rig.log.commits.clear()
        rig.log.append(PREDICTIONS)  # the next checkpoint finds nothing to stand on
        await rig.until(lambda: len(rig.publisher.alarm_ids()) == 2 * len(expected[1]))
    assert rig.publisher.alarm_ids() == 2 * expected[1]


async def test_a_session_that_was_dropped_leaves_nothing_in_memory() -> None:
    gc.disable()
    try:
        async with Rig(log=filled()) as rig:
            await rig.settled()
            # Given a processor in a cycle, which only a collection frees
            rig.processors[0].itself = rig.processors[0]  # type: ignore[attr-defined]
            gone = weakref.ref(rig.processors.pop())
            # When the store goes back, so that another session is opened
            rig.store.wipe()
            rig.log.commits.clear()
            rig.log.append(PREDICTIONS)
            await rig.until(lambda: bool(rig.processors))
            # Then the old one is soon gone, although nobody collects by chance
            await rig.until(lambda: gone() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "faults",
    [["after"], ["before"], ["away", "away"], ["before", "away", "after"], ["after", "after"]],
    ids="+".join,
)
async def test_store_faults_double_and_lose_nothing(faults: list[str]) -> None:
    log = filled()
    expected = await oracle(log)
    rig = Rig(log=log)
    rig.store.faults = list(faults)
    async with rig:
        await rig.settled()
    assert (rig.state(), rig.publisher.alarm_ids()) == expected
    assert len(rig.processors) == 1  # resolved in place, without a reload
    assert rig.telemetry.checkpoints["ambiguous"] == len([f for f in faults if f != "away"])


@pytest.mark.parametrize("back", [1, 2, 5])
async def test_a_store_that_went_back_is_followed(back: int) -> None:
    rig = Rig(log=filled())
    rig.chunk_size = 20
    async with rig:
        await rig.settled()
        while len(rig.store.past) < 6:
            rig.log.append(PREDICTIONS)
            await rig.settled()
        rig.store.regress(back)
        rig.log.append(PREDICTIONS)
        await rig.settled()
    assert rig.telemetry.checkpoints["conflict"] == 1
    state, alarms = await oracle(rig.log)
    assert rig.state() == state
    assert set(rig.publisher.alarm_ids()) == set(alarms)


async def test_a_zombie_is_fenced_and_publishes_nothing_more() -> None:
    async with Rig(log=filled(150)) as rig:
        await rig.settled()
        # Given that Kafka and the store have another owner now
        await rig.store.acquire(0, owner="other", generation=2, first="#0")
        rig.log.member = False
        before = list(rig.publisher.published)
        # When records come that would make it raise an alarm
        rig.log.append(PREDICTIONS, 300, model="m0")
        await rig.until(lambda: rig.worker.state == "unassigned")
        # Then nothing of them left, and the store is the other's.
        assert rig.publisher.published == before
        assert (await rig.store.holder(0))[0] == "other"
        assert rig.telemetry.checkpoints["fenced"] == 1


async def test_the_owner_by_kafkas_word_returns_after_a_fence() -> None:
    async with Rig(log=filled(150)) as rig:
        await rig.settled()
        await rig.store.acquire(0, owner="lost in a failover", generation=1, first="#0")
        rig.log.append(PREDICTIONS, 10)
        await rig.settled()
        assert rig.partition.counts["prediction/ok"] == 160


async def test_a_lower_generation_gets_in_only_with_kafkas_word() -> None:
    store = FaultyStore()
    await store.acquire(0, owner="young", generation=9, first="#0")
    rig = Rig(log=filled(10), store=store)
    rig.log.member = False
    async with rig:
        await rig.until(lambda: rig.worker._task is not None and rig.worker._task.done())
        assert (await store.holder(0))[0] == "young"
    # A deleted group counts from one again, and is a member.
    rig = Rig(log=filled(10))
    await rig.store.acquire(0, owner="young", generation=9, first="#0;predictions=4")
    async with rig:
        await rig.settled()


async def test_assignment_seeks_to_the_store_also_where_kafka_is_ahead() -> None:
    log = filled(50)
    log.commits = {PREDICTIONS: 50, LABELS: 10}
    rig = Rig(log=log)
    await rig.store.acquire(0, owner="a", generation=1, first="#3;labels=2;predictions=20")
    async with rig:
        await rig.settled()
        assert (PREDICTIONS, 20) in rig.log.seeks
        assert rig.partition.counts["prediction/ok"] == 30


async def test_state_lost_is_said_and_starts_from_the_oldest_record() -> None:
    log = filled(50)
    log.commits = {PREDICTIONS: 40}
    async with Rig(log=log) as rig:
        await rig.settled()
        assert rig.telemetry.state_lost == 1
        assert b"StateLost" in (rig.publisher.of("alarms")[0].value or b"")
        assert rig.partition.counts["prediction/ok"] == 50


async def test_records_deleted_before_they_were_read_are_counted_exactly() -> None:
    log = filled(50)
    log.delete_before(PREDICTIONS, 33)
    rig = Rig(log=log)
    await rig.store.acquire(0, owner="a", generation=1, first="#1;predictions=5")
    async with rig:
        await rig.settled()
        assert rig.partition.lost == 28
        assert rig.partition.counts["prediction/ok"] == 17
        assert b"DataLoss" in (rig.publisher.of("alarms")[0].value or b"")


async def test_retention_that_overtakes_a_running_worker_is_counted_exactly() -> None:
    async with Rig(log=filled(50)) as rig:
        await rig.settled()
        rig.log.append(PREDICTIONS, 100)
        rig.log.delete_before(PREDICTIONS, 90)
        rig.log.fetch_at[PREDICTIONS] = 90
        await rig.settled()
        assert rig.partition.lost == 40
        assert rig.partition.counts["prediction/ok"] == 110


async def test_a_topic_made_anew_is_refused_and_said() -> None:
    async with Rig(log=filled(50)) as rig:
        await rig.settled()
    # Given the same name and as many offsets, with other records in them
    anew = FakeLog()
    anew.append(PREDICTIONS, 60, value=b"other")
    anew.append(LABELS, 10, model="m0")
    await refused(Rig(log=anew, store=rig.store))
    await refused(Rig(log=FakeLog(), store=rig.store))


async def test_a_refusal_is_an_alarm_once_however_often_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partition, "REFUSED_SECONDS", 0.01)
    rig = Rig()
    await rig.store.acquire(0, owner="a", generation=1, first="#1;predictions=5")
    rig.publisher.failures = 1  # the first try does not leave
    async with rig:
        await rig.until(lambda: caplog.text.count("partition 0 is refused") >= 4)
    assert rig.alarms_of("LogTruncated") == 1


async def test_a_log_made_anew_is_one_alarm_however_it_grows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partition, "REFUSED_SECONDS", 0.01)
    async with Rig(log=filled(50)) as counted:
        await counted.settled()
    before = counted.durable()
    # Given another log under the name, that ends somewhere else at every look
    rig = Rig(log=FakeLog(), store=counted.store)
    async with rig:
        for looks in range(1, 5):
            await rig.until(lambda n=looks: caplog.text.count("is refused") >= n)  # type: ignore[misc]
            rig.log.append(PREDICTIONS, 20, value=b"other")
        # When at last it is longer than the position
        await rig.until(lambda: "is not the one that was counted" in caplog.text)
    # Then it was one cause all the time, and another worker tells the same, to the byte
    (said,) = rig.publisher.of("alarms")
    again = Rig(log=rig.log, store=rig.store)
    await refused(again)
    assert again.publisher.of("alarms") == [said]
    assert rig.durable() == before


async def test_a_longer_log_made_anew_in_a_silence_is_not_read_on() -> None:
    async with Rig(log=filled(50)) as rig:
        await rig.settled()
        before, state = rig.durable(), rig.state()
        # Given a broker that is silent, and has a longer log of the same name when it is back
        rig.log.silent = True
        back = time.monotonic() + 2 * rig.config.silence_seconds
        await rig.until(lambda: time.monotonic() > back)
        rig.log.records[PREDICTIONS].clear()
        rig.log.ends[PREDICTIONS] = 0
        rig.log.append(PREDICTIONS, 80, value=b"other")
        rig.log.silent = False
        # Then nothing of it is taken for the rest of the old one
        await rig.until(lambda: rig.worker.state == "refused")
        await rig.until(lambda: rig.alarms_of("LogTruncated") == 1)
        assert (rig.durable(), rig.state()) == (before, state)


async def test_a_state_that_no_store_can_take_is_refused_and_said() -> None:
    rig = Rig(log=filled(50))
    rig.store.faults = ["large"]
    async with rig:
        await rig.until(lambda: rig.worker.state == "refused")
        assert "more partitions" in rig.partition.reason
        assert rig.alarms_of("StateTooLarge") == 1
        assert not any(rig.durable().values())


async def test_a_large_checkpoint_is_written_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(session, "LARGE_CHECKPOINT", 1000)
    rig = Rig()
    async with rig:
        rig.log.append(PREDICTIONS)
        await rig.settled()
        assert rig.telemetry.large_checkpoints == 0
        for number in range(100):
            rig.log.append(PREDICTIONS, model=f"model-{number}")
        await rig.settled()
    assert rig.telemetry.large_checkpoints > 0
    assert "more partitions" in caplog.text


async def refused(rig: Rig) -> None:
    async with rig:
        await rig.until(lambda: rig.worker.state == "refused")
        assert "delete the key streamgauge:ck:{g:0}" in rig.partition.reason
        assert b"LogTruncated" in (rig.publisher.of("alarms")[0].value or b"")


async def test_bad_records_become_dead_letters_before_the_position_passes_them() -> None:
    log = FakeLog()
    log.append(PREDICTIONS, 3)
    log.append(PREDICTIONS, value=None)
    log.append(PREDICTIONS, value=b"bad \xff")
    log.append(PREDICTIONS, 3)
    rig = Rig(log=log)
    rig.publisher.failures = 1
    async with rig:
        # Given that Kafka does not take them at first, then nothing is durable.
        await rig.until(lambda: not rig.publisher.failures)
        assert rig.durable().get(PREDICTIONS, 0) == 0
        await rig.settled()
        letters = rig.publisher.of("dead-letters")
        assert [letter.value for letter in letters] == [None, b"bad \xff"]
        headers = dict(letters[1].headers)
        assert headers["streamgauge_reason"] == b"decode"
        assert headers["streamgauge_topic"] == PREDICTIONS.encode()
        assert headers["streamgauge_offset"] == b"4"
        assert headers["streamgauge_timestamp"] == b"1004.0"
        assert headers["streamgauge_sha256"] == hashlib.sha256(b"bad \xff").hexdigest().encode()
        assert rig.partition.dead == {"decode": 2}


async def test_a_record_that_makes_the_processor_raise_is_the_only_one_that_dies() -> None:
    log = filled(50)
    log.append(PREDICTIONS, value=b"raise", model="m0")
    log.append(PREDICTIONS, 20, model="m0")
    async with Rig(log=log) as rig:
        await rig.settled()
        (letter,) = rig.publisher.of("dead-letters")
        assert dict(letter.headers)["streamgauge_reason"] == b"handler"
        assert rig.partition.counts == {"prediction/ok": 70, "prediction/dead": 1, "label/ok": 10}


async def test_a_processor_that_raises_over_everything_stops_and_buries_little(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partition, "REFUSED_SECONDS", 0.05)
    log = filled(50)
    log.append(PREDICTIONS, 100, value=b"raise", model="m0")
    rig = Rig(log=log)
    async with rig:
        # Given a defect that no record is to blame for
        await rig.until(lambda: rig.worker.state == "refused", 20)
        assert "21 records in a row, from streamgauge.predictions, offset 50 on" in caplog.text
        await rig.until(lambda: caplog.text.count("partition 0 is refused") >= 3)
        # Then it stands, says so once, and the good events are still there
        assert rig.alarms_of("ProcessorFailing") == 1
        buried = len(set(rig.publisher.of("dead-letters")))
        assert buried <= MOST_IN_A_ROW
        # When the defect is mended, it goes on by itself.
        rig.mended = True
        await rig.settled()
        assert rig.partition.counts["prediction/ok"] == 150 - buried


async def test_single_bad_records_among_good_ones_never_stop_a_partition() -> None:
    log = FakeLog()
    for _ in range(MOST_IN_A_ROW + 2):
        log.append(PREDICTIONS, 2)
        log.append(PREDICTIONS, value=b"raise")
    async with Rig(log=log) as rig:
        await rig.until(lambda: rig.partition.counts.get("prediction/dead") == 22, 20)
        assert rig.partition.counts["prediction/ok"] == 44
        assert rig.worker.state == "running"


async def test_holes_are_taken_when_seen_twice_and_counted() -> None:
    log = FakeLog()
    for _ in range(20):  # a marker behind every ten records
        log.append(PREDICTIONS, 10)
        log.ends[PREDICTIONS] += 1
    rig = Rig(log=log)
    rig.chunk_size = 25
    async with rig:
        await rig.until(lambda: rig.durable().get(PREDICTIONS) == log.ends[PREDICTIONS] - 1)
        assert rig.partition.counts["prediction/ok"] == 200
        assert rig.partition.holes == 19
        assert rig.partition.conservation_difference == 0
        # The marker at the very end is no lag.
        await rig.until(lambda: not any(rig.worker.lag().values()))


async def test_stale_chunks_are_dropped_and_the_true_ones_taken_once() -> None:
    rig = Rig(log=filled(150))
    async with rig:
        await rig.settled()
        rig.log.append(PREDICTIONS, 250)
        at = rig.log.seeks.count((PREDICTIONS, 150))
        rig.worker.feed(rig.log.chunk(PREDICTIONS, 300, 100))  # from before a seek
        rig.worker.feed(rig.log.chunk(PREDICTIONS, 300, 100))
        rig.worker.feed(rig.log.chunk(PREDICTIONS, 100, 100))  # overlaps: 150 to 199 are new
        rig.worker.feed(rig.log.chunk(PREDICTIONS, 100, 100))
        rig.worker.feed(rig.log.chunk(PREDICTIONS, 200, 50, generation=0))  # before a rebalance
        await rig.settled()
        assert rig.partition.counts["prediction/ok"] == 400
        assert rig.partition.holes == 0
        assert rig.log.seeks.count((PREDICTIONS, 150)) > at
        assert (PREDICTIONS, 200) in rig.log.seeks
        assert rig.processors[-1].taken.count(("predictions", 180)) == 1


async def test_a_topic_that_is_not_read_to_its_end_holds_the_others_up_for_a_while() -> None:
    log = filled(20)
    log.append(LABELS, 5)
    rig = Rig(log=log)
    async with rig:
        await rig.settled()
        taken = rig.processors[-1].taken
        order = sorted(taken, key=lambda t: (1000.0 + t[1], CONFIG.names.index(t[0]), t[1]))
        assert taken == order
        # When labels are announced that nobody can fetch, the predictions go on after a time.
        log.ends[LABELS] += 1
        log.append(PREDICTIONS, 3)
        await rig.until(lambda: rig.partition.positions.get(PREDICTIONS) == 23)


async def test_the_clock_acts_only_at_the_end_of_the_log_and_late() -> None:
    rig = Rig(log=filled(20))
    async with rig:
        await rig.settled()
        await rig.until(lambda: bool(rig.processors[-1].advanced))
        assert set(rig.processors[-1].advanced) == {4999.0}
        n = len(rig.processors[-1].advanced)
        rig.log.paused.update(rig.log.records)
        rig.log.append(PREDICTIONS, 5)  # in the log, and not read
        before = rig.telemetry.chunks.copy()
        await rig.until(lambda: any(rig.worker.lag().values()))
        n = len(rig.processors[-1].advanced)
        began = time.monotonic()
        await rig.until(lambda: time.monotonic() - began > 20 * CONFIG.tick_seconds)
        assert len(rig.processors[-1].advanced) == n
        assert rig.telemetry.chunks == before


async def test_no_idle_time_passes_while_the_broker_is_silent() -> None:
    rig = Rig(log=filled(20))
    async with rig:
        await rig.settled()
        ticks = rig.processors[-1].advanced
        await rig.until(lambda: bool(ticks))
        # Given an outage: no end is shown, the clock of the machine runs on
        rig.log.silent = True
        began = time.monotonic()
        rig.clock = 5090.0
        await rig.until(lambda: time.monotonic() - began > 3 * CONFIG.silence_seconds)
        assert max(ticks) <= 5090.0 - CONFIG.clock_lag_seconds
        before = len(ticks)
        await rig.until(lambda: time.monotonic() - began > 4 * CONFIG.silence_seconds)
        assert len(ticks) == before
        # When it is over, producers first get the time to send what they held back
        rig.log.silent = False
        back = time.monotonic()
        await rig.until(lambda: len(ticks) > before)
        assert time.monotonic() - back >= CONFIG.settle_seconds
        assert ticks[-1] == 5090.0 - CONFIG.clock_lag_seconds


async def test_a_processor_that_fails_in_idle_time_goes_on_with_records(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(log=filled(20))
    rig.broken_clock = True
    async with rig:
        await rig.until(lambda: rig.telemetry.tick_errors == 1)
        rig.log.append(PREDICTIONS, 30, model="m0")
        await rig.settled()
        assert rig.partition.counts["prediction/ok"] == 50
        # One reload, and not one every tick.
        assert (rig.telemetry.tick_errors, len(rig.processors)) == (1, 2)
        assert "a defect of idle time" in caplog.text
        assert "Traceback" in caplog.text


async def test_the_worker_knows_how_old_and_how_durable_it_is() -> None:
    rig = Rig(log=filled(20))
    async with rig:
        await rig.settled()
        await rig.until(lambda: rig.log.commits == rig.log.ends)
        part = rig.telemetry.partition(0)
        assert part.newest_timestamp == 1019.0
        assert set(part.commit_ahead().values()) == {0}
        stages = [stage for stage, _ in rig.telemetry.processing_seconds]
        assert set(stages) == {"process", "checkpoint"}
        # When the coordinator takes no commits, Kafka falls behind the checkpoint
        rig.log.member = False
        rig.log.append(PREDICTIONS, 5)
        await rig.until(lambda: rig.durable()[PREDICTIONS] == 25)
        await rig.until(lambda: part.commit_ahead()[PREDICTIONS] == -5)
    # The next owner knows the age from the store, before any record
    again = Rig(log=rig.log, store=rig.store)
    async with again:
        await again.settled()
        again.worker.report()
        assert again.partition.newest_timestamp == 1024.0
        assert not again.processors[-1].taken
    # Where the store has gone back, the commit is ahead of it.
    again = Rig(log=rig.log)
    await again.store.acquire(0, owner="a", generation=1, first="#1;predictions=12")
    again.store.faults = ["away"]
    async with again:
        await again.until(lambda: again.partition.commit_ahead().get(PREDICTIONS) == 8)


async def test_what_was_in_the_outbox_at_a_crash_leaves_at_the_next_start_with_its_id() -> None:
    log = filled(250)
    expected = await oracle(log)
    rig = Rig(log=log)
    rig.publisher.failures = 10**9  # Kafka takes nothing, checkpoints go on
    rig.worker.start()
    await rig.until(lambda: rig.durable() == log.ends)
    assert rig.partition.outbox_entries == 2
    await rig.worker.lose()
    again = Rig(log=log, store=rig.store)
    async with again:
        await again.settled()
    assert again.publisher.alarm_ids() == expected[1]
    assert not (await rig.store.load(0)).outbox


async def test_a_drained_partition_is_durable_and_goes_on_where_it_stood() -> None:
    log = filled(70)
    rig = Rig(log=log)
    async with rig:
        await rig.until(lambda: rig.worker.state == "running")
        await rig.until(lambda: bool(rig.processors[-1].taken))
    assert rig.worker.state == "unassigned"
    again = Rig(log=log, store=rig.store)
    again.generation = 2
    async with again:
        await again.settled()
    assert again.state() == (await oracle(log))[0]


async def test_too_much_in_memory_pauses_fetching() -> None:
    log = FakeLog()
    log.append(PREDICTIONS, 40, value=b"x" * 1_000_000)
    rig = Rig(log=log)
    rig.chunk_size = 5
    async with rig:
        await rig.until(lambda: rig.worker.state == "running")
        rig.store.faults = ["away"] * 3
        for _ in range(3):
            if chunk := log.fetch(PREDICTIONS, 5):
                rig.worker.feed(chunk)
        assert PREDICTIONS in log.paused
        await rig.settled()
        assert PREDICTIONS not in log.paused
