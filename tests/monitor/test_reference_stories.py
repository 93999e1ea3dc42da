"""The life of a reference: provisional, settled, and accepted on purpose."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from streamgauge.processing import LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor
from tests.monitor.telling import alarms, series, spec, told, view

RATE = 100.0


def moved(*spans: tuple[float, float, float]) -> list[LogRecord]:
    """Feature x2 shifted by so many σ between two times in seconds."""

    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        for first, last, shift in spans:
            if first <= i / RATE < last:
                fields["features"]["x2"] += shift
        return {}

    end = max(last for _, last, _ in spans)
    return stream(int(end * RATE), rate=RATE, features=3, fault=fault)


def test_a_first_reference_is_provisional_and_settles_once() -> None:
    subject, log = monitor(), moved((0, 200, 0))
    stages: list[tuple[bool, int]] = []
    for start in range(0, 20_000, 1_000):
        drive(subject, log[start : start + 1_000])
        found = series(subject)
        x2 = next((f for f in found.features if f.name == "x2"), None)
        if x2 is not None and found.reference_n is not None:
            stages.append((x2.provisional, found.reference_n))
    # Given a reference of the first 20 s, which a longer one replaces, and then never again
    sizes = [n for n, _ in itertools.groupby(n for _, n in stages)]
    flags = [flag for flag, _ in itertools.groupby(flag for flag, _ in stages)]
    assert flags == [True, False]
    assert len(sizes) == 2 and sizes[1] > 5 * sizes[0]


def test_a_settled_reference_speaks_as_loudly_as_the_spec_says() -> None:
    loud = moved((0, 200, 0), (200, 230, 1.0))
    (fired,) = alarms(drive(monitor(), loud, range(0, 23_000, 2_000)).events)
    assert (fired.severity, fired.feature) == ("warning", "x2")
    assert fired.value is not None and fired.value < 0.5, "the effect is not a large one"


def accepting(at: float, number: int = 2, **more: Any) -> Any:
    accepted = {"at": START + at, "by": "ann", "reason": "new tariff", **more}
    return spec(number, START + at, reference={"accepted": accepted})


def test_what_somebody_accepts_is_the_new_normal() -> None:
    # Given a shift that stays, and ann who accepts it twenty seconds after the alarm
    log = moved((0, 60, 0), (60, 160, 4), (160, 200, 9))
    subject = monitor(spec(), accepting(95))
    found = alarms(drive(subject, log[:16_000], range(0, 16_000, 1_000)).events)
    # Then the alarm resolves and does not come back
    assert [alarm.status for alarm in found] == ["firing", "resolved"]
    assert found[1].ends_at == START + 94, "what was closed when the spec came"
    assert found[1].summary == "fraud: x2 is accepted by ann after 34 s"
    shown = view(subject)
    assert (shown.accepted_by, shown.accepted_at) == ("ann", START + 95)
    # And a later shift fires again, against what was accepted
    again = alarms(drive(subject, log[16_000:]).events)
    assert [(alarm.status, alarm.feature) for alarm in again] == [("firing", "x2")]
    assert "mean 4" in again[0].summary or "mean 3.9" in again[0].summary


def test_what_was_there_before_is_not_normal_any_more() -> None:
    # Given an accepted shift that goes back to where it came from
    log = moved((0, 60, 0), (60, 150, 4), (150, 190, 0))
    found = alarms(drive(monitor(spec(), accepting(95)), log).events)
    assert [alarm.status for alarm in found] == ["firing", "resolved", "firing"]


def test_only_what_is_named_is_accepted() -> None:
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if i >= 6_000:
            fields["features"]["x0"] += 4
            fields["features"]["x2"] += 4
        return {}

    log = stream(14_000, rate=RATE, features=3, fault=fault)
    subject = monitor(spec(), accepting(95, features=["x0"]))
    found = alarms(drive(subject, log, range(0, 14_000, 1_000)).events)
    # Then x2 keeps the alarm open, and x0 is well
    assert [alarm.status for alarm in found] == ["firing"]
    states = {
        f.name: {j.detector: j.state for j in f.judgements}["js"]
        for f in series(subject).features
        if f.name in ("x0", "x2")
    }
    assert states["x2"] == "firing" and states["x0"] != "firing"


def test_the_same_acceptance_in_a_later_spec_accepts_nothing_again() -> None:
    # Given an acceptance, and a spec after it that repeats it while something else is wrong
    accepted = {"at": START + 30, "by": "ann"}
    specs = [
        spec(1, START, owner="me"),
        spec(2, START + 30, reference={"accepted": accepted}),
        spec(3, START + 95, reference={"accepted": accepted}, owner="you"),
    ]
    log = moved((0, 60, 0), (60, 140, 4))
    found = alarms(drive(monitor(*specs), log).events)
    assert [alarm.status for alarm in found] == ["firing"]


def test_accepting_before_anything_was_learned_does_no_harm() -> None:
    log = moved((0, 60, 0))
    assert told(drive(monitor(spec(), accepting(1)), log, range(0, 6_000, 500)).events) == []


@pytest.mark.parametrize("begin", [72.0, 73.0, 73.5, 74.0])
@pytest.mark.parametrize("size", [1.5, 2.0])
def test_a_shift_that_begins_within_a_window_does_not_hide_itself(
    begin: float, size: float
) -> None:
    # Given a reference of a minute, and a shift of which the first window shows a part only
    log = moved((0, begin, 0), (begin, begin + 30, size))
    # Then that part is not learned from, and the windows behind it fire
    fired = alarms(drive(monitor(), log).events)
    assert [(alarm.status, alarm.feature) for alarm in fired] == [("firing", "x2")]
    assert fired[0].window is not None and fired[0].window.end <= START + begin + 5 * 5
