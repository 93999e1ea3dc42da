"""An hour of points: what lies where, what is unknown, and that memory stays within bounds."""

from __future__ import annotations

from statistics import fmean

import pytest

from streamgauge.console.history import (
    MODEL_BYTES,
    MOST_FEATURES,
    MOST_TRAFFIC,
    STEP_SECONDS,
    History,
    Point,
)
from streamgauge.console.ring import POINTS, thinned

START = 1_800_000_000.0


def point(model: str = "fraud", *, rate: float | None = 1.0, **options: object) -> Point:
    values: dict[str, object] = {"features": {}, "versions": {"1": 1.0}, **options}
    return Point(model, lines={"rate": rate}, **values)  # type: ignore[arg-type]


def at(slot: float) -> float:
    return START + slot * STEP_SECONDS


def test_the_last_look_of_ten_seconds_is_the_one_that_is_kept() -> None:
    history = History()
    for moment, rate in ((0.0, 1.0), (0.5, 2.0), (1.0, 3.0)):
        history.note([point(rate=rate)], at=at(moment))
    assert history.line("fraud", "rate") == [2.0, 3.0]
    assert history.end == at(2)


def test_a_gap_is_unknown_and_not_zero() -> None:
    # Given a model that says nothing for a while, and an exporter that stood still for a minute
    history = History()
    history.note([point(rate=5.0)], at=at(0))
    history.note([point(rate=None)], at=at(1))
    history.note([point(rate=7.0)], at=at(6))
    assert history.line("fraud", "rate") == [5.0, None, None, None, None, None, 7.0]
    # and a line of which nothing was ever known is none
    assert history.line("fraud", "p95") == []
    assert history.line("nobody", "rate") == []


def test_an_hour_is_kept_and_not_more() -> None:
    history = History()
    for slot in range(POINTS + 50):
        history.note([point(rate=float(slot))], at=at(slot))
    found = history.line("fraud", "rate")
    assert (len(found), found[0], found[-1]) == (POINTS, 50.0, float(POINTS + 49))


def test_a_stop_of_more_than_an_hour_leaves_nothing_of_before() -> None:
    history = History()
    history.note([point(rate=1.0)], at=at(0))
    history.note([point(rate=2.0)], at=at(3 * POINTS))
    assert history.line("fraud", "rate") == [2.0]


def test_a_clock_that_is_set_back_does_not_spoil_it() -> None:
    history = History()
    history.note([point(rate=1.0)], at=at(10))
    history.note([point(rate=9.0)], at=at(2))
    assert history.line("fraud", "rate") == [1.0]


def test_a_clock_that_is_set_back_by_an_hour_begins_a_history_anew() -> None:
    # Given a machine whose clock was an hour ahead until somebody set it right
    history = History()
    history.note([point(rate=1.0)], at=at(POINTS), records=10)
    history.note([point(rate=2.0)], at=at(POINTS + 1), records=20)
    # When it notes on, Then the lines are of now, and do not wait for an hour
    history.note([point(rate=3.0)], at=at(2), records=30)
    history.note([point(rate=4.0)], at=at(3), records=40)
    assert history.line("fraud", "rate") == [3.0, 4.0]
    assert (history.records(), history.end) == ([1.0], at(4))


def test_nan_and_infinity_are_unknown() -> None:
    history = History()
    history.note([point(rate=float("nan"), features={"a": float("inf")})], at=at(0))
    assert history.line("fraud", "rate") == []
    assert history.features("fraud") == {"a": []}


def test_of_many_features_the_worst_have_lines() -> None:
    # Given more calm features than there is room for
    history = History()
    calm = {f"f{i:03d}": i / 1_000 for i in range(100)}
    history.note([point(features=calm)], at=at(0))
    kept = history.features("fraud")
    assert set(kept) == {f"f{i:03d}" for i in range(100 - MOST_FEATURES, 100)}
    # When one of the rest begins to fire, Then it takes the place of the mildest
    history.note([point(features={**calm, "f000": 3.0})], at=at(1))
    kept = history.features("fraud")
    assert len(kept) == MOST_FEATURES
    assert kept["f000"] == [3.0]
    assert f"f{100 - MOST_FEATURES:03d}" not in kept


def test_memory_is_bounded_in_models_and_bytes() -> None:
    # Given room for three models
    history = History(max_bytes=3 * MODEL_BYTES)
    features = {f"f{i}": 1.0 for i in range(200)}
    for slot in range(3):
        history.note([point(f"m{i}", features=features) for i in range(500)], at=at(slot))
    assert history.nbytes <= 3 * MODEL_BYTES + 4 * POINTS
    assert history.line("m2", "rate") and not history.line("m3", "rate")
    # When two go, Then others have theirs, and what is gone is forgotten
    history.note([point(f"m{i}", features=features) for i in range(2, 500)], at=at(3))
    assert history.line("m3", "rate") == [1.0]
    assert history.line("m0", "rate") == []


def test_it_is_known_when_a_version_appeared_but_not_of_those_that_were_there() -> None:
    history = History()
    history.note([point(versions={"1": 1.0})], at=at(0))
    history.note(
        [point(versions={"1": 1.0, "2": 0.0}), point("new", versions={"7": 1.0})], at=at(1)
    )
    assert history.appeared("fraud") == {"1": None, "2": at(1)}
    assert history.appeared("new") == {"7": at(1)}


def test_records_a_second_follow_from_their_totals_also_after_a_new_start() -> None:
    history = History()
    for slot, records in enumerate((1_000, 1_200, 1_500, 100, 300)):
        history.note([], at=at(slot), records=records)
    assert history.records() == [20.0, 30.0, None, 20.0]


@pytest.mark.parametrize("length", [0, 1, 59, 60, 61, 360])
def test_thinned_lines_keep_their_newest_end_and_their_length(length: int) -> None:
    values: list[float | None] = [float(i) for i in range(length)]
    found = thinned(values, 60, max)
    assert len(found) <= 60
    assert found[-1:] == values[-1:]
    assert thinned([None, 4.0], 1, fmean) == [4.0]


def test_one_version_takes_over_from_another() -> None:
    # Given a release that is rolled out in two steps
    history = History()
    for slot, (old, new) in enumerate(((10.0, 0.0), (7.0, 3.0), (0.0, 10.0))):
        history.note([point(versions={"1": old, "2": new})], at=at(slot))
    # Then the traffic of both is known, and of the new one from when it began to send
    assert history.traffic("fraud") == {"1": [10.0, 7.0, 0.0], "2": [3.0, 10.0]}
    assert history.traffic("nobody") == {}


def test_of_many_versions_those_that_send_have_traffic() -> None:
    # Given as many as there is room for, of which one falls silent
    history = History()
    rates = {str(number): 1.0 for number in range(MOST_TRAFFIC)}
    history.note([point(versions={**rates, "late": 1.0})], at=at(0))
    assert "late" not in history.traffic("fraud")
    history.note([point(versions={**rates, "3": 0.0, "late": 1.0})], at=at(1))
    # Then another that sends has its place
    assert history.traffic("fraud").keys() == {*rates, "late"} - {"3"}
