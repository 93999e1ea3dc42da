"""A model from which nothing comes: when that is news, and what is said of its clients."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from tests.monitor.streams import QUICK, START, drive, monitor
from tests.monitor.telling import alarms, heartbeat, merged, numbers, spec, told, view

#: Midnight in UTC.
DAY = 1_790_035_200.0
LONG = {
    "defaults": {"pane": 60.0, "min_duration": 600.0, "min_events": 500, "grace": 0.0},
    "reference": {"min_events": 1000, "min_duration": 86_400.0},
}


def daily(first: float, last: float) -> list[LogRecord]:
    """Shop hours: a prediction a minute by day, hardly any from 22 to 6."""
    rng = np.random.default_rng(1)
    times, at = [], DAY
    while at < DAY + last * 86_400:
        hour = (at - DAY) / 3_600 % 24
        at += float(rng.exponential(60.0 if 6 <= hour < 22 else 1_500.0))
        times.append(at)
    return numbers([t for t in times if DAY + first * 86_400 <= t < DAY + last * 86_400])


@pytest.fixture(scope="module")
def shop() -> dict[float, dict[str, bytes]]:
    """What a worker knew of a shop, whose nights are quiet, after some days."""
    known: dict[float, dict[str, bytes]] = {}
    kept: dict[str, bytes] = {}
    before = 0.0
    for day in (3.5, 9.0, 9.5):
        subject = monitor(overrides=LONG)
        subject.restore(kept)
        assert told(drive(subject, daily(before, day)).events) == [], "ordinary days are no news"
        kept |= subject.dirty().blobs
        known[day], before = dict(kept), day
    return known


def after(shop: dict[float, dict[str, bytes]], day: float) -> PartitionMonitor:
    subject = monitor(overrides=LONG)
    subject.restore(shop[day])
    return subject


def test_a_silence_by_day_is_told_and_the_same_silence_by_night_is_not(
    shop: dict[float, dict[str, bytes]],
) -> None:
    # Given nine days of a shop that is silent for an hour and a half at noon of the tenth
    subject = after(shop, 9.5)
    (fired,) = alarms(subject.advance(DAY + 9.5 * 86_400 + 5_400).events)
    # Then that is told as loudly as any alarm, for a week has shown what is usual
    assert (fired.kind, fired.status, fired.severity) == ("staleness", "firing", "warning")
    assert "no predictions for" in fired.summary and "at this hour usually" in fired.summary
    assert view(subject).silent == {"": pytest.approx(DAY + 9.5 * 86_400, abs=600)}
    # And at midnight it would have been ordinary
    assert told(after(shop, 9.0).advance(DAY + 9 * 86_400 + 5_400).events) == []


def test_before_a_week_has_passed_it_is_said_softly(shop: dict[float, dict[str, bytes]]) -> None:
    (fired,) = alarms(after(shop, 3.5).advance(DAY + 3.5 * 86_400 + 5_400).events)
    assert fired.severity == "info"


def test_in_the_first_day_nothing_is_usual_yet() -> None:
    subject = monitor(overrides=LONG)
    drive(subject, daily(0, 0.5))
    assert told(subject.advance(DAY + 86_400).events) == []


def test_what_a_spec_declares_needs_no_history_and_ends_with_the_next_prediction() -> None:
    # Given a model of which a spec says that it never pauses for ten seconds
    subject = monitor(spec(silence_after="10s"))
    drive(subject, numbers(START + i for i in range(5)))
    # When it does
    assert told(subject.advance(START + 14).events) == []
    (fired,) = alarms(subject.advance(START + 14.5).events)
    (resolved,) = alarms(drive(subject, numbers([START + 30])).events)
    # Then it is told once, and that it is over
    assert (fired.starts_at, fired.status) == (START + 4, "firing")
    assert "for 10 s (at most 10 s)" in fired.summary
    assert (resolved.status, resolved.ends_at) == ("resolved", START + 30)
    assert resolved.fingerprint == fired.fingerprint and resolved.alarm_id != fired.alarm_id
    assert "come again after 26 s" in resolved.summary
    assert view(subject).silent == {}


def test_a_silence_that_nobody_saw_is_told_afterwards_under_the_same_id() -> None:
    # Given two workers, one of which was down while it lasted and reads all of it at once
    awake, late = monitor(spec(silence_after="10s")), monitor(spec(silence_after="10s"))
    log = numbers([START, START + 1, START + 40])
    seen = drive(awake, log[:2]).events + awake.advance(START + 20).events
    seen += drive(awake, log[2:]).events
    # When and then: both say the same
    assert drive(late, log).events == seen
    assert [alarm.status for alarm in alarms(seen)] == ["firing", "resolved"]


@pytest.mark.parametrize(
    ("beats", "words"),
    [
        ([], None),
        (range(0, 40, 10), "its clients are alive: there is no traffic"),
        (range(0, 10, 10), "its clients are silent too, since 10 s"),
    ],
    ids=["no heartbeats", "alive", "gone"],
)
def test_heartbeats_tell_no_traffic_from_no_process(beats: range, words: str | None) -> None:
    # Given a model that falls silent after five seconds
    declared = (
        spec(silence_after="100s") if words and "since" in words else spec(silence_after="10s")
    )
    other = numbers([START + 5 + 10 * i for i in range(20)], model="other")
    log = merged(numbers(START + i for i in range(5)), [heartbeat(START + i) for i in beats], other)
    # When another model's predictions move the log
    (fired,) = alarms(drive(monitor(declared), log).events)
    # Then the alarm says whether its processes live
    if words is None:
        assert fired.description is None
    elif "alive" in words:
        assert words in (fired.description or "")
    else:
        assert fired.description == "its clients are silent too, since 104 s"


def test_one_step_that_falls_silent_is_told_by_its_name() -> None:
    subject = monitor(spec(silence_after="10s"))
    enrich = numbers((START + i for i in range(60)), step="enrich")
    score = numbers((START + i + 0.5 for i in range(20)), step="score")
    (fired,) = alarms(drive(subject, merged(enrich, score)).events)
    assert fired.scope == {"step": "score"}
    assert "no predictions of step score" in fired.summary


def test_a_backfill_of_old_events_is_no_silence() -> None:
    # Given events of last week, written to the log now and without pause
    subject = monitor(spec(silence_after="10s"))
    old = [
        record._replace(timestamp=START + i / 100)
        for i, record in enumerate(numbers(START - 600_000 + 600 * i for i in range(1_000)))
    ]
    assert told(drive(subject, old).events) == []


def test_watching_is_switched_off_and_on_again_without_a_word() -> None:
    # Given a silence that was told, and a spec that wants to hear no more of it
    off = spec(2, START + 30, watch={"silence": False})
    on = spec(3, START + 500, silence_after="10s")
    subject = monitor(spec(silence_after="10s"), off, on)
    own = numbers([START, START + 1, START + 31, START + 100, START + 501, START + 502])
    log = merged(own, numbers([START + 25], model="other"))
    found = alarms(drive(subject, log, range(1, 7)).events)
    # Then the alarm does not stay open for ever, and the time between is no silence
    assert [alarm.status for alarm in found] == ["firing", "resolved"]
    assert view(subject).silent == {}


def test_a_pause_is_judged_by_the_spec_that_held_when_it_began() -> None:
    # Given a pause of a minute, behind which a spec takes effect that allows ten seconds
    subject = monitor(spec(silence_after="2m"), spec(2, START + 30, silence_after="10s"))
    assert told(drive(subject, numbers([START, START + 1, START + 61, START + 62])).events) == []
    # Then the next one is a silence
    (fired,) = alarms(subject.advance(START + 80).events)
    assert fired.starts_at == START + 62


@pytest.mark.parametrize("overrides", [LONG, QUICK], ids=["long", "quick"])
def test_steady_traffic_is_never_a_silence(overrides: dict[str, dict[str, float]]) -> None:
    rng = np.random.default_rng(2)
    times = START + np.cumsum(rng.exponential(20.0, size=3_000))
    subject = monitor(overrides=overrides)
    assert told(drive(subject, numbers(times.tolist()), range(0, 3_000, 300)).events) == []


def retired(at: float, version: str = "1") -> LogRecord:
    event = {"model": "fraud", "version": version, "action": "retired", "timestamp": at}
    return LogRecord("streamgauge.models", 0, 0, at, b"fraud", (), orjson.dumps(event))


def test_a_model_that_was_retired_may_be_silent_until_it_speaks_again() -> None:
    # Given a model that never pauses for ten seconds, and that somebody takes out of service
    subject = monitor(spec(silence_after="10s"))
    drive(subject, [*numbers(START + i for i in range(5)), retired(START + 5)])
    # Then its silence is no news
    assert told(subject.advance(START + 60).events) == []
    # And back in service it is listened to again
    drive(subject, numbers([START + 90, START + 91]))
    assert told(subject.advance(START + 102).events) == [("staleness", "firing", None)]


def test_a_silence_that_was_told_ends_when_the_model_is_retired() -> None:
    subject = monitor(spec(silence_after="10s"))
    drive(subject, numbers([START, START + 1]))
    (fired,) = alarms(subject.advance(START + 20).events)
    (resolved,) = alarms(drive(subject, [retired(START + 21)]).events)
    assert (resolved.status, resolved.fingerprint) == ("resolved", fired.fingerprint)


def test_an_old_version_that_is_retired_leaves_the_new_one_heard() -> None:
    subject = monitor(spec(silence_after="10s"))
    new = numbers((START + 5 + i for i in range(5)), version="2")
    drive(subject, [*numbers(START + i for i in range(5)), *new, retired(START + 10)])
    assert told(subject.advance(START + 60).events) == [("staleness", "firing", None)]


@pytest.mark.parametrize("cuts", [[], [1], [2], [3], [1, 2, 3]], ids=str)
def test_what_stood_before_a_retirement_was_heard_before_it(cuts: list[int]) -> None:
    log = [*numbers([START, START + 40]), retired(START + 41), *numbers([START + 90])]
    effects = drive(monitor(spec(silence_after="10s")), log, cuts)
    assert [alarm.status for alarm in alarms(effects.events)] == ["firing", "resolved"]


def test_a_chunk_of_nothing_but_retirements_is_taken() -> None:
    # Given a producer that says so five thousand times
    log = [*numbers([START, START + 1]), *(retired(START + 2) for _ in range(5_000))]
    subject = monitor(spec(silence_after="10s"))
    # Then each is taken in its place, and none inside of another
    assert drive(subject, log).counts[("model", "ok")] == 5_000
    assert told(subject.advance(START + 60).events) == []
