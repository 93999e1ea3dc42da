"""Regression against scikit-learn, also far from zero, and beyond what squares can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn import metrics as oracle

from streamgauge.metrics.regression import Regression
from streamgauge.metrics.spread import Spread

Floats = NDArray[np.float64]
Rows = tuple[Floats, Floats, Floats]


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    n = draw(st.integers(1, 50))
    # Whole multiples, so that what is not equal differs by more than rounding can hide.
    value = st.integers(-(10**6), 10**6).map(lambda each: each / 64)
    weights = arrays(np.float64, n, elements=st.integers(1, 9).map(float))
    predicted, truth = (draw(arrays(np.float64, n, elements=value)) for _ in range(2))
    return predicted, truth, draw(weights)


def of(*columns: Any) -> Regression:
    made = Regression()
    made.update(*columns)
    return made


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def judged(found: dict[str, float], drawn: Rows) -> None:
    predicted, truth, weight = drawn
    told: dict[str, Any] = {"sample_weight": weight}
    assert found["mae"] == near(oracle.mean_absolute_error(truth, predicted, **told))
    assert found["rmse"] == near(oracle.root_mean_squared_error(truth, predicted, **told))
    assert found["bias"] == near(np.average(predicted - truth, weights=weight))
    assert found["n"] == weight.sum()
    assert ("r2" in found) == bool(np.ptp(truth) > 0)
    if "r2" in found:
        # Of a window that hardly varies it is a huge number, known to as many digits.
        assert found["r2"] == near(oracle.r2_score(truth, predicted, **told))


@settings(max_examples=60)
@given(rows())
def test_equal_to_scikit_learn(drawn: Rows) -> None:
    judged(of(*drawn).get(), drawn)


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e9])
@pytest.mark.parametrize("outlier", [0.0, 1e6])
def test_far_from_zero(offset: float, outlier: float) -> None:
    # Given values whose spread is a billionth of their size, the first of them perhaps far off
    random = np.random.default_rng(4)
    truth = offset + random.normal(0, 1, 5_000)
    truth[0] += outlier
    drawn: Any = truth + random.normal(0.1, 0.5, 5_000), truth, random.integers(1, 5, 5_000) * 1.0
    # Then the figures are those of scikit-learn, in one piece and in ten
    judged(of(*drawn).get(), drawn)
    merged = Regression()
    for part in np.array_split(random.permutation(5_000), 10):
        merged.merge(of(*(column[part] for column in drawn)))
    judged(merged.get(), drawn)


def test_bias_is_positive_where_the_model_says_too_much() -> None:
    assert of(np.array([3.0, 5.0]), np.array([2.0, 4.0])).get()["bias"] == 1.0


def test_a_constant_truth_explains_nothing() -> None:
    # Given thirty times a value that no float holds, from two shards
    odd = np.full(30, 0.1)
    merged = of(odd + 1, odd)
    merged.merge(of(odd + 1, odd))
    # Then there is no variance to explain, not even that of rounding
    assert "r2" not in merged.get() and merged.get()["mae"] == near(1.0)


def test_nothing_has_no_figures() -> None:
    assert Regression().get() == {} and Regression().absolute_std == 0.0
    assert of(np.ones(2), np.zeros(2), np.zeros(2)).get() == {}
    assert sorted(of(np.ones(1), np.zeros(1)).get()) == ["bias", "mae", "n", "rmse"]


def test_the_spread_of_absolute_errors() -> None:
    errors = np.array([1.0, -3.0, 2.0])
    assert of(errors, np.zeros(3)).absolute_std == near(float(np.abs(errors).std()))


@given(
    columns=arrays(np.float64, (2, 12), elements=st.floats(allow_nan=False, allow_infinity=False))
)
def test_the_largest_values_do_no_harm(columns: Floats) -> None:
    made = of(*columns)
    made.merge(of(*columns[::-1]))
    assert all(math.isfinite(value) for value in made.get().values())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["predicted", "truth"])
def test_refuses_what_is_not_finite(value: float, side: str) -> None:
    made, columns = Regression(), {"predicted": np.zeros(2), "truth": np.zeros(2)}
    columns[side] = np.array([0.0, value])
    with pytest.raises(ValueError, match=f"{side} holds NaN"):
        made.update(**columns)
    assert made.get() == {}


def test_a_spread_does_not_show_who_was_first() -> None:
    # Given shards whose first values differ
    one, other = Spread(), Spread()
    one.update(np.array([5.0, 1.0]), np.ones(2))
    other.update(np.array([2.0, 9.0]), np.ones(2))
    # Then both orders of adding them up are the same state
    states = []
    for first, second in ((one, other), (other, one)):
        whole = Spread()
        whole.merge(first)
        whole.merge(second)
        states.append(whole.state())
    assert states[0] == states[1]
    assert states[0][1:3] == [4.0, 17.0 - 2.0 * 4]
