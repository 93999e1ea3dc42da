"""When a new model is asked for, on which data, and that each cause asks once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.learning.retrain_policy import RetrainPolicy, RetrainRequest
from streamgauge.learning.retraining import MOST, Retraining
from streamgauge.state.packing import pack, unpack

HOUR, DAY = 3_600.0, 86_400.0


def retraining(**policy: Any) -> Retraining:
    asked = {"min_labels": 10, "cooldown_seconds": DAY, **policy}
    return Retraining(model="fraud", policy=RetrainPolicy(**asked), champion_since=0.0)


def labels(which: Retraining, first: float, count: int, step: float = 60.0) -> list[RetrainRequest]:
    """Predictions and labels in turn, one pair a step; offsets count on."""
    requests = []
    for i in range(count):
        offset = which.marks.labels
        requests += which.observe(first + i * step, "predictions", 0, offset)
        requests += which.observe(first + i * step, "labels", 0, offset, labels=1)
    return requests


def test_drift_asks_for_data_from_the_change_point_on() -> None:
    # Given a hundred labels before, and an alarm that dates the change at minute 70.
    which = retraining()
    labels(which, 0.0, 100)
    (request,) = which.drift(6_000.0, "a1", onset=4_200.0, slices=("country=DE",))
    # Then the request names the cause and the offsets after the change, and nothing before.
    assert (request.model, request.reason, request.time) == ("fraud", "drift", 6_000.0)
    assert request.causes[0].key == "drift:a1"
    query = request.query
    assert query.positions == {"labels": {0: (70, 100)}, "predictions": {0: (70, 100)}}
    assert (query.clean_from, query.labels, query.slices) == (4_200.0, 30, ("country=DE",))
    assert unpack(pack(request.as_dict())) is not None


def test_an_alarm_asks_once() -> None:
    which = retraining(cooldown_seconds=0.0)
    labels(which, 0.0, 100)
    assert len(which.drift(6_000.0, "a1", onset=60.0)) == 1
    labels(which, 6_060.0, 100)
    assert which.drift(20_000.0, "a1", onset=60.0) == []
    # And another one is another cause.
    assert len(which.drift(20_000.0, "a2", onset=60.0)) == 1


def test_too_few_clean_labels_are_waited_for() -> None:
    # Given a change only five labels ago.
    which = retraining()
    labels(which, 0.0, 100)
    assert which.drift(6_000.0, "a1", onset=95 * 60.0) == []
    assert [cause.key for cause in which.waiting] == ["drift:a1"]
    # Then the request goes out with the label that makes them ten.
    assert labels(which, 6_000.0, 4) == []
    (request,) = labels(which, 6_240.0, 10)
    assert (request.query.labels, request.time) == (10, 6_240.0)


def test_one_request_answers_all_causes_and_the_clean_window_begins_with_the_last_change() -> None:
    which = retraining(goal=0.9)
    which.data_quality(0.0, True)
    labels(which, 0.0, 100)
    assert which.performance(6_000.0, 0.8) == []
    assert which.drift(6_000.0, "a1", onset=600.0, slices=("country=DE",)) == []
    assert which.drift(6_000.0, "a2", onset=1_200.0, slices=("country=FR",)) == []
    (request,) = which.data_quality(6_060.0, False)
    assert [cause.reason for cause in request.causes] == ["performance", "drift", "drift"]
    assert request.query.clean_from == 1_200.0
    # Performance is of the whole model, so the request is.
    assert request.query.slices == ()
    assert request.causes[0].evidence == {"value": 0.8, "goal": 0.9}


def test_drift_that_healed_while_it_waited_asks_for_nothing() -> None:
    which = retraining()
    which.data_quality(0.0, True)
    labels(which, 0.0, 100)
    which.drift(6_000.0, "a1", onset=0.0)
    which.resolved(6_100.0, "a1")
    assert which.data_quality(6_200.0, False) == []


def test_a_policy_may_not_listen_to_drift() -> None:
    which = retraining(on_drift=False)
    labels(which, 0.0, 100)
    assert which.drift(6_000.0, "a1", onset=0.0) == []
    assert which.waiting == []


@pytest.mark.parametrize(("higher", "bad", "good"), [(True, 0.8, 0.95), (False, 0.95, 0.8)])
def test_a_missed_goal_asks_once_until_it_is_reached_again(
    higher: bool, bad: float, good: float
) -> None:
    which = retraining(goal=0.9, higher_is_better=higher, cooldown_seconds=0.0)
    asked = []
    for i, value in enumerate([good, bad, bad, good, bad]):
        labels(which, i * HOUR, 20)
        asked.append(len(which.performance(i * HOUR + 1_800.0, value)))
    assert asked == [0, 1, 0, 0, 1]
    # And a new champion that misses it too asks again.
    which.promoted(10 * HOUR)
    labels(which, 11 * HOUR, 20)
    assert len(which.performance(12 * HOUR, bad)) == 1


def test_an_undefined_performance_is_refused() -> None:
    with pytest.raises(ValueError, match="left out"):
        retraining(goal=0.9).performance(0.0, math.nan)


def test_an_old_champion_asks_once_and_a_young_one_not() -> None:
    which = retraining(max_age_seconds=7 * DAY, cooldown_seconds=0.0)
    requests = labels(which, 0.0, 20 * 24, step=HOUR)
    assert [(each.reason, each.time) for each in requests] == [("staleness", 7 * DAY)]
    which.promoted(20 * DAY)
    requests = labels(which, 20 * DAY, 8 * 24, step=HOUR)
    assert [(each.reason, each.time) for each in requests] == [("staleness", 27 * DAY)]


def test_the_calendar_asks_once_a_span_and_not_for_data_that_it_has_seen() -> None:
    which = retraining(every_seconds=DAY, cooldown_seconds=0.0)
    requests = labels(which, 0.0, 3 * 24, step=HOUR)
    assert [(each.reason, each.time) for each in requests] == [
        ("calendar", DAY),
        ("calendar", 2 * DAY),
    ]
    # When no labels come for ten days, then the span of the last ones asks and no other.
    assert [each.time for each in which.advance(13 * DAY)] == [3 * DAY]


def test_the_cooldown_delays_and_its_end_is_enough() -> None:
    which = retraining()
    labels(which, 0.0, 100)
    which.drift(6_000.0, "a1", onset=0.0)
    labels(which, 6_000.0, 100)
    assert which.drift(12_000.0, "a2", onset=0.0) == []
    (request,) = which.advance(10 * DAY)
    assert request.time == 6_000.0 + DAY


def test_a_person_waits_for_an_open_alarm_and_nothing_else() -> None:
    which = retraining(min_labels=1_000_000)
    labels(which, 0.0, 5)
    (first,) = which.by_hand(400.0, "ada")
    assert (first.reason, first.causes[0].by, first.query.labels) == ("by hand", "ada", 5)
    assert len(which.by_hand(401.0, "ada")) == 1
    which.data_quality(500.0, True)
    assert which.by_hand(501.0, "bob") == []
    (later,) = which.data_quality(600.0, False)
    assert later.causes[0].by == "bob"


def test_a_partition_that_comes_later_is_whole_in_the_query() -> None:
    which = retraining()
    labels(which, 0.0, 20)
    which.observe(1_141.0, "predictions", 3, 500)
    which.observe(1_142.0, "predictions", 3, 501)
    (request,) = which.by_hand(1_143.0, "ada")
    assert request.query.positions["predictions"] == {0: (0, 20), 3: (500, 502)}


def test_memory_is_bounded_and_old_change_points_stay_clean() -> None:
    # Given a year of hours.
    which = retraining(lookback_seconds=400 * DAY)
    labels(which, 0.0, 365 * 24, step=HOUR)
    assert len(which.marks._marks) <= 512
    (request,) = which.drift(365 * DAY, "a1", onset=100 * DAY)
    first, end = request.query.positions["labels"][0]
    # Then the window begins after the change, by less than two days.
    assert 100 * 24 <= first < 102 * 24
    assert end == 365 * 24
    assert request.query.labels == end - first
    for i in range(3 * MOST):
        which.drift(366 * DAY, f"b{i}", onset=0.0)
        which._ask()
        which.resolved(366 * DAY, f"b{i}")
    assert len(which.state()["asked"]) <= MOST


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.sets(st.integers(0, 299)))
def test_the_same_requests_and_bytes_however_time_passes_and_with_restarts(
    seed: int, cuts: set[int]
) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(HOUR, 300)).tolist()
    what = rng.choice(6, 300, p=[0.9, 0.02, 0.02, 0.02, 0.02, 0.02]).tolist()

    def run(cut: set[int]) -> tuple[list[RetrainRequest], bytes]:
        which = retraining(
            goal=0.9, max_age_seconds=3.3 * DAY, every_seconds=2 * DAY, cooldown_seconds=0.7 * DAY
        )
        told: list[RetrainRequest] = []
        before = 0.0
        for i, time in enumerate(times):
            if i in cut:
                told += which.advance((before + time) / 2)
                which = Retraining.from_state(unpack(pack(which.state())))
            before = time
            if what[i] == 1:
                told += which.drift(time, f"a{i}", onset=max(0.0, time - 5 * HOUR))
            elif what[i] == 2:
                told += which.performance(time, 0.8 if i % 2 else 0.95)
            elif what[i] == 3:
                told += which.promoted(time)
            elif what[i] == 4:
                told += which.data_quality(time, bool(i % 2))
            elif what[i] == 5:
                told += which.by_hand(time, "ada")
            told += which.observe(time, "labels", i % 2, i, labels=1)
        return told, pack(which.state())

    assert run(cuts) == run(set())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_age": 3.0}, "did you mean 'max_age_seconds'"),
        ({"every_seconds": 0.0}, "above 0"),
        ({"cooldown_seconds": math.nan}, "0 or more"),
        ({"min_labels": -1}, "0 or more"),
        ({"goal": math.inf}, "finite"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetrainPolicy.of(**values)


def test_without_a_change_point_the_data_go_back_as_far_as_the_policy_looks() -> None:
    which = retraining(goal=0.9, lookback_seconds=1_800.0)
    labels(which, 0.0, 100)
    (request,) = which.performance(6_000.0, 0.5)
    assert request.query.clean_from == 4_200.0
    assert request.query.positions["labels"] == {0: (70, 100)}


def test_an_age_that_floats_cannot_hold_asks_once_all_the_same() -> None:
    which = retraining(max_age_seconds=28.3, min_labels=0)
    which.promoted(93.9)
    which.observe(94.0, "labels", 0, 0, labels=1)
    assert [each.reason for each in which.advance(1_000.0)] == ["staleness"]
