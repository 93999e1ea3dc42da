"""The always-valid test: its promise at every look, however the stream is cut."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamgauge.learning.always_valid import EVENTS, ROUNDS, AlwaysValidTest
from streamgauge.learning.mixture import Mixture
from streamgauge.learning.spending import spent
from streamgauge.state.packing import pack, unpack

Floats = NDArray[np.float64]

differences = st.lists(st.floats(-1.0, 1.0), max_size=60).map(lambda d: np.array(d, dtype=float))


def of(rounds: list[Floats]) -> AlwaysValidTest:
    test = AlwaysValidTest()
    for values in rounds:
        test.update_many(values)
        test.end_round()
    return test


def test_nothing_is_no_evidence() -> None:
    test = AlwaysValidTest()
    assert (test.e_value, test.e_value_worse, test.mean) == (1.0, 1.0, 0.0)
    assert test.bounds(0.05) == (-1.0, 1.0)
    assert not test.decided(0.99)


def test_one_bet_by_hand() -> None:
    # Given one rate, the evidence is a plain formula.
    single = Mixture([0.5], lambda rate: -math.log1p(-rate) - rate)
    # Then a lost event takes exactly the stake, which is what makes the range [-1, 1] sharp.
    assert math.exp(single.log_evidence(-1.0, 1.0)) == pytest.approx(0.5)
    assert single.log_evidence(3.0, 4.0) == pytest.approx(1.5 - 4 * (math.log(2) - 0.5))


@pytest.mark.parametrize("mean", [-0.5, -0.2, 0.0])
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_no_single_bet_gains_on_average_where_nothing_is_to_be_gained(
    mean: float, spread: float
) -> None:
    # Given a difference with that mean: the two-point one is the worst of all in [-1, 1].
    high = min(1.0, mean + spread)
    low = max(-1.0, mean - spread)
    chance = 1.0 if high == low else (mean - low) / (high - low)
    # Then exp(r x - cost(r) x²) is at most 1 in expectation at every rate: an exact check.
    for rate, cost in EVENTS._terms:
        gain = chance * math.exp(rate * high - cost * high**2)
        gain += (1 - chance) * math.exp(rate * low - cost * low**2)
        assert gain <= 1.0 + 1e-12


@given(size=st.floats(0.0, 1.0))
def test_no_bet_on_a_round_gains_where_both_signs_are_as_likely(size: float) -> None:
    for rate, cost in ROUNDS._terms:
        square = math.exp(-cost * size * size)
        assert square * math.cosh(min(rate * size, 700.0)) <= 1.0 + 1e-9


def test_every_path_of_a_small_fair_game_together() -> None:
    # Given all 2^12 sequences of rounds won or lost by a coin: the whole distribution, no chance.
    crossed = 0
    for signs in itertools.product((0.1, -0.1), repeat=12):
        total = squares = 0.0
        for mean in signs:
            total, squares = total + mean, squares + mean * mean
            if ROUNDS.log_evidence(total, squares) >= math.log(20):
                crossed += 1
                break
    # Then at most a twentieth of them is ever called a win, and some are: the test can speak.
    assert 0 < crossed / 2**12 <= 0.05


def test_a_better_challenger_needs_about_eleven_rounds_however_many_labels() -> None:
    test, won = AlwaysValidTest(), []
    for day in range(1, 15):
        test.update_many(np.tile([1.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0], 1000))
        test.end_round()
        won += [day] * test.decided(spent(0.05, 1))
    assert won == [11, 12, 13, 14]


def test_better_today_and_worse_tomorrow_is_never_better() -> None:
    # Given thousands of labels a day, good and bad days in turn, equal on average.
    test = AlwaysValidTest()
    alone = 0
    for day in range(60):
        test.update_many(np.full(2000, 0.1 if day % 2 == 0 else -0.1))
        test.end_round()
        # Then the average up to now, taken alone, is convincing on the first good days ...
        alone += EVENTS.log_evidence(test.total, test.squares) > math.log(20)
        # ... and nothing is decided.
        assert not test.decided(0.05)
    assert alone > 0


def test_positives_first_is_no_evidence_in_the_middle_of_the_night() -> None:
    # Given files in which the challenger wins all first labels and loses all later ones.
    test = AlwaysValidTest()
    night = np.repeat([1.0, -1.0], 200)
    for _ in range(30):
        for value in night.tolist():
            test.update(value)
            # Then no look, at any label, decides.
            assert not test.decided(0.05)
        test.end_round()


def test_the_other_direction_is_the_mirror() -> None:
    rng = np.random.default_rng(3)
    rounds = [rng.choice([-1.0, 0.0, 1.0], 100, p=[0.3, 0.6, 0.1]) for _ in range(20)]
    test, mirror = of(rounds), of([-values for values in rounds])
    assert test.worse(0.05) and not test.decided(0.05)
    assert mirror.decided(0.05)
    assert test.e_value_worse == mirror.e_value
    low, high = test.bounds(0.05)
    assert mirror.bounds(0.05) == (-high, -low)


@given(rounds=st.lists(differences, max_size=6), alpha=st.floats(0.001, 0.5))
def test_bounds_hold_the_mean_and_agree_with_the_evidence(
    rounds: list[Floats], alpha: float
) -> None:
    test = of(rounds)
    low, high = test.bounds(alpha)
    assert -1.0 <= low <= test.mean <= high <= 1.0
    # A decision needs events and rounds: it never goes beyond what the bounds say.
    if test.decided(alpha):
        assert low > -1e-9
    assert test.decided(alpha) == (test.log_e_value() >= -math.log(alpha))
    assert math.isfinite(test.e_value) and math.isfinite(test.e_value_worse)


def test_bounds_cover_the_average_expected_difference_at_all_times() -> None:
    # Given 400 runs in which the expected difference moves by the hour.
    rng = np.random.default_rng(11)
    expected = 0.2 * np.sin(np.arange(1000) / 80)
    averages = np.cumsum(expected) / np.arange(1, 1001)
    missed = 0
    for _ in range(400):
        values = np.where(rng.random(1000) < 0.5 + expected / 2, 1.0, -1.0)
        totals = np.cumsum(values)
        looks = range(9, 1000, 10)
        # |d| = 1 in all of them: the squares are the count.
        missed += any(
            abs(totals[i] - averages[i] * (i + 1)) > reach
            for i, reach in ((i, _reach(i + 1)) for i in looks)
        )
    # Then at most two tenths of them ever leave a bound: one tenth for each side.
    assert missed / 400 <= 0.2


@functools.cache
def _reach(n: int) -> float:
    return EVENTS.reach(float(n), math.log(10))


@given(values=differences, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_the_same_bytes_however_the_stream_is_cut(values: Floats, cuts: list[int]) -> None:
    one, many = AlwaysValidTest(), AlwaysValidTest()
    for value in values.tolist():
        one.update(value)
    for part in np.split(values, sorted(min(cut, len(values)) for cut in cuts)):
        many.update_many(part)
        # And a restart in between.
        many = AlwaysValidTest.from_state(unpack(pack(many.state())))
    assert pack(many.state()) == pack(one.state())


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.01, 1.5])
def test_what_is_no_bounded_difference_is_refused_and_leaves_no_trace(value: float) -> None:
    test = of([np.array([0.5, -0.5])])
    before = test.state()
    with pytest.raises(ValueError, match="divide by the declared bound"):
        test.update(value)
    with pytest.raises(ValueError, match="divide by the declared bound"):
        test.update_many(np.array([0.1, value]))
    assert test.state() == before


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_a_level_is_a_probability(alpha: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        AlwaysValidTest().decided(alpha)


@pytest.mark.parametrize("state", [[], [0] * 7, [0, math.nan, 0, 0, 0, 0, 0, 0]])
def test_a_state_that_is_none_is_refused(state: list[float]) -> None:
    with pytest.raises(ValueError, match="eight finite numbers"):
        AlwaysValidTest.from_state(state)


def test_rounds_that_are_won_by_a_handful_of_labels_are_not_enough() -> None:
    # Given fourteen days won, each with one label and a difference of a tenth.
    test = of([np.array([0.1])] * 14)
    # Then the days alone would convince, the labels do not.
    assert ROUNDS.log_evidence(test.rounds_total, test.round_squares) > math.log(20)
    assert not test.decided(0.05)
