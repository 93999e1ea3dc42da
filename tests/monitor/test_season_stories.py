"""Days and weeks: what is usual at this hour is no finding, and what is not usual at it is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from tests.monitor.streams import drive, monitor, prediction
from tests.monitor.telling import alarms, told

#: A Monday, midnight in UTC.
MONDAY = 1_789_948_800.0
DAY = 86_400.0
#: an event every twenty seconds, and a window an hour.
PACE = 20.0
HOURLY = {
    "defaults": {"pane": 600.0, "min_duration": 3_600.0, "min_events": 150, "grace": 0.0},
    "reference": {"min_events": 1_000, "min_duration": DAY},
}
#: Days after which a season is known and the spread of windows about it too.
KNOWN = 16


def days(first: float, last: float, *, amplitude: float, shift: float = 0.0) -> list[LogRecord]:
    """One feature with a daily wave of ``amplitude`` σ, at night below, by day above its mean."""
    numbers = range(int(first * DAY / PACE), int(last * DAY / PACE))
    rng = np.random.default_rng(int(first * 7 + 1))
    noise = rng.normal(size=len(numbers))
    records = []
    for i, e in zip(numbers, noise.tolist(), strict=True):
        at = MONDAY + i * PACE
        wave = -amplitude * math.cos(2 * math.pi * (at - MONDAY) / DAY)
        records.append(prediction(i, at, {"x": wave + e + shift}))
    return records


@pytest.fixture(scope="module")
def weeks() -> dict[str, bytes]:
    """What a worker knows after two weeks of a wave of two σ, in which it said nothing."""
    kept: dict[str, bytes] = {}
    for first, last in itertools.pairwise([*range(0, KNOWN, 4), KNOWN]):
        subject = restored(kept)
        events = drive(subject, days(first, last, amplitude=2.0)).events
        assert told(events) == [], f"the season itself is no news (days {first} to {last})"
        kept |= subject.dirty().blobs
    return kept


def restored(kept: dict[str, bytes]) -> PartitionMonitor:
    subject = monitor(overrides=HOURLY)
    subject.restore(kept)
    return subject


def test_the_season_is_no_finding_and_goes_on_being_none(weeks: dict[str, bytes]) -> None:
    assert told(drive(restored(weeks), days(KNOWN, KNOWN + 3, amplitude=2.0)).events) == []


def test_a_shift_that_the_season_would_hide_is_found_within_its_hours(
    weeks: dict[str, bytes],
) -> None:
    # Given a shift of one σ, where the hours of a day differ by four
    log = days(KNOWN, KNOWN + 1, amplitude=2.0, shift=1.0)
    fired = alarms(drive(restored(weeks), log).events)[0]
    assert (fired.kind, fired.feature, fired.status) == ("feature_drift", "x", "firing")
    assert fired.window is not None and fired.window.end <= MONDAY + KNOWN * DAY + 4 * 3_600
    # And the sentence names the change and not the season
    assert fired.value is not None and fired.value > 0.2


def test_night_in_the_middle_of_the_day_is_found(weeks: dict[str, bytes]) -> None:
    # Given values that are quite ordinary, twelve hours later
    log = [
        record._replace(offset=i) for i, record in enumerate(days(KNOWN, KNOWN + 1, amplitude=-2.0))
    ]
    fired = alarms(drive(restored(weeks), log).events)[0]
    assert fired.kind == "feature_drift" and fired.feature == "x"


def test_a_season_is_forgotten_by_nobody_who_restarts(weeks: dict[str, bytes]) -> None:
    # Given a worker that restarts every few hours of a shifted day, and one that does not
    log = days(KNOWN, KNOWN + 1, amplitude=2.0, shift=1.0)
    whole = alarms(drive(restored(weeks), log).events)
    kept, found = dict(weeks), []
    for start in range(0, len(log), 850):
        subject = restored(kept)
        found += alarms(drive(subject, log[start : start + 850]).events)
        kept |= subject.dirty().blobs
    assert found == whole
