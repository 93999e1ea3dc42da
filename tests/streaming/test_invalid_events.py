"""Too many refused records are an alarm, and a stop only for those who ask for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.monitor.app import _worker_config
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.settings import Settings
from streamgauge.settings.sections import MonitorSettings
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.invalid_events import InvalidEvents
from streamgauge.streaming.meta import InvalidCounts
from tests.streaming.fakes import CONFIG, PREDICTIONS, FakeLog, Rig

STRICT = replace(CONFIG, max_invalid_ratio=0.1, max_consecutive_invalid=30)


def log_of(*parts: tuple[int, bytes]) -> FakeLog:
    """Records, one every second, so that a minute has sixty and a judgement a hundred."""
    log = FakeLog()
    for n, value in parts:
        log.append(PREDICTIONS, n, value=value)
    return log


GOOD, BAD = b"v", b"bad"


async def test_above_the_ratio_it_says_so_goes_on_and_says_when_it_is_over() -> None:
    # Given a deploy that breaks every seventh event for a while
    log = log_of((150, GOOD), *[(6, GOOD), (1, BAD)] * 40, (400, GOOD))
    async with Rig(log=log, config=STRICT) as rig:
        await rig.settled()
        # Then one alarm says it and one that it is over, and everything was taken or dead-lettered
        fired, over = said(rig)
        assert b'"firing"' in fired and b'"resolved"' in over
        assert rig.partition.counts == {"prediction/ok": 790, "prediction/dead": 40}


async def test_a_few_bad_records_are_no_alarm() -> None:
    async with Rig(log=log_of(*[(12, GOOD), (1, BAD)] * 50), config=STRICT) as rig:
        await rig.settled()
        assert rig.alarms_of("InvalidRatio") == 0


async def test_many_in_a_row_are_an_alarm_at_once() -> None:
    in_a_row = replace(STRICT, max_invalid_ratio=1.0)
    async with Rig(log=log_of((50, GOOD), (30, BAD)), config=in_a_row) as rig:
        await rig.settled()
        assert len(said(rig)) == 1
    log = log_of((50, GOOD), (29, BAD), (1, GOOD), (29, BAD))
    async with Rig(log=log, config=in_a_row) as rig:
        await rig.settled()
        assert not said(rig)


async def test_whoever_asks_for_it_stops_and_nothing_is_skipped() -> None:
    # Given that the thirtieth bad record in a row is to stop the partition
    log = log_of((50, GOOD), (40, BAD), (10, GOOD))
    stopping = replace(STRICT, stop_on_invalid=True)
    async with Rig(log=log, config=stopping) as rig:
        await rig.until(lambda: rig.worker.state == "refused")
        # Then it stands before it, says so once, and tells how to go on
        assert rig.durable().get(PREDICTIONS, 0) < 80
        assert rig.alarms_of("InvalidRatio") == 1
        assert "STOP_ON_INVALID=false" in rig.partition.reason
        # With what was refused, although no checkpoint stands behind it
        offsets = {dict(r.headers)["streamgauge_offset"] for r in rig.publisher.of("dead-letters")}
        assert offsets >= {b"%d" % offset for offset in range(50, 80)}
    # When the switch is off again
    again = Rig(log=log, store=rig.store, config=STRICT)
    async with again:
        await again.settled()
        assert again.partition.counts == {"prediction/ok": 60, "prediction/dead": 40}


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_however_the_log_is_cut_the_alarms_are_the_same(size: int) -> None:
    log = log_of((150, GOOD), *[(3, GOOD), (1, BAD)] * 40, (200, GOOD), (31, BAD), (200, GOOD))
    whole = Rig(log=log, config=STRICT)
    async with whole:
        await whole.settled()
    expected = said(whole)
    assert len(expected) >= 3
    rig = Rig(log=fresh(log), config=STRICT)
    rig.chunk_size = size
    async with rig:
        await rig.until(lambda: rig.partition.positions.get(PREDICTIONS, 0) > 200)
    # And a restart in the middle
    again = Rig(log=rig.log, store=rig.store, config=STRICT)
    again.chunk_size = size
    async with again:
        await again.settled()
    assert said(rig) + said(again) == expected


def said(rig: Rig) -> list[bytes]:
    """The alarms about refused records, in the order in which they left."""
    values = [r.value or b"" for r in rig.publisher.of("alarms")]
    return [value for value in values if b'"InvalidRatio"' in value]


def fresh(log: FakeLog) -> FakeLog:
    same = FakeLog()
    same.records, same.ends = log.records, log.ends
    return same


async def test_a_consumer_that_writes_no_dead_letters_says_nothing_of_them() -> None:
    second = replace(STRICT, dead_letters=False, stop_on_invalid=True)
    async with Rig(log=log_of((50, GOOD), (40, BAD)), config=second) as rig:
        await rig.settled()
        assert not said(rig)


def test_to_stop_is_never_the_default() -> None:
    assert WorkerConfig(bootstrap_servers="k", group="g").stop_on_invalid is False
    assert MonitorSettings().stop_on_invalid is False


def test_a_minute_with_few_records_is_judged_with_the_next_ones() -> None:
    events = InvalidEvents(0, STRICT, InvalidCounts())
    records = [LogRecord(PREDICTIONS, 0, n, 100.0 * n, b"m", (), b"") for n in range(101)]
    letters = [DeadLetter(record, "decode", "") for record in records[::2]]
    assert events.take(records[:100], letters) == []
    (alarm,) = events.take(records[100:], letters[-1:])
    assert "50% of 100 records" in alarm.summary


def test_a_monitor_is_told_by_its_settings() -> None:
    told = MonitorSettings(max_invalid_ratio=0.5, max_consecutive_invalid=7, stop_on_invalid=True)
    config = _worker_config(Settings(monitor=told))
    assert (config.max_invalid_ratio, config.max_consecutive_invalid) == (0.5, 7)
    assert config.stop_on_invalid


def test_good_records_between_bad_ones_break_the_row_in_whichever_steps_they_come() -> None:
    events = InvalidEvents(0, replace(STRICT, max_invalid_ratio=1.0), InvalidCounts())
    records = [LogRecord(PREDICTIONS, 0, n, float(n), b"m", (), b"") for n in range(50)]
    bad = [DeadLetter(record, "decode", "") for record in (*records[:20], *records[25:])]
    steps = (records[:20], records[20:25], records[25:])
    assert [events.take(step, bad if step is not steps[1] else []) for step in steps] == [[]] * 3


@pytest.mark.parametrize("ahead", [1e3, 1e9, 1e12])
@pytest.mark.parametrize("at", [0, 100])
def test_a_clock_that_is_wrong_does_not_end_the_judging(at: int, ahead: float) -> None:
    # Given one record that a producer stamped far ahead of all others
    events = InvalidEvents(0, STRICT, InvalidCounts())
    times = [1000.0 + n for n in range(800)]
    times[at] += ahead
    records = [LogRecord(PREDICTIONS, 0, n, t, b"m", (), b"") for n, t in enumerate(times)]
    assert events.take(records[:200], []) == []
    # When half of those that follow are refused, then that is said, as ever.
    letters = [DeadLetter(record, "decode", "") for record in records[200::2]]
    (alarm,) = events.take(records[200:], letters)
    assert alarm.status == "firing"
