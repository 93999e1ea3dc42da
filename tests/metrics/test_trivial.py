"""Answers that need no model, against loops that are too simple to be wrong."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from streamgauge.metrics.trivial_classifier import NO_CLASS, TrivialClassifier
from streamgauge.metrics.trivial_regressor import TrivialRegressor
from streamgauge.state.packing import pack, unpack

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]

classes = arrays(np.intp, st.integers(0, 60), elements=st.integers(0, 3))
values = arrays(np.float64, st.integers(0, 60), elements=st.integers(-99, 99).map(float))


def spans(column: Any, data: st.DataObject) -> list[Any]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(column)), max_size=4)))
    return [column[a:b] for a, b in zip([0, *cuts], [*cuts, len(column)], strict=True)]


@given(truth=classes)
def test_the_majority_and_the_last_class(truth: Codes) -> None:
    made = TrivialClassifier()
    said = made.update(truth)
    errors, seen, ahead = [0, 0], Counter[int](), NO_CLASS
    for place, code in enumerate(truth.tolist()):
        # The majority has as many as any, and is the one that had so many first.
        assert said.majority[place] == ahead
        assert said.last[place] == (truth[place - 1] if place else NO_CLASS)
        if place:
            errors[0] += code != ahead
            errors[1] += code != truth[place - 1]
        seen[code] += 1
        if ahead == NO_CLASS or seen[code] > seen[ahead]:
            ahead = code
    if len(truth) < 2:
        assert made.get() == {}
    else:
        n = len(truth) - 1
        ratios = {"majority_error_ratio": errors[0] / n, "last_error_ratio": errors[1] / n}
        assert made.get() == {"n": n, **ratios}


@given(truth=values)
def test_the_mean_and_the_last_value(truth: Floats) -> None:
    made = TrivialRegressor()
    said = made.update(truth)
    errors: list[list[float]] = [[], []]
    for place in range(1, len(truth)):
        mean, last = float(truth[:place].mean()), float(truth[place - 1])
        assert said.mean[place] == pytest.approx(mean, rel=1e-9, abs=1e-9)
        assert said.last[place] == last
        errors[0].append(abs(mean - truth[place]))
        errors[1].append(abs(last - truth[place]))
    if len(truth) < 2:
        assert made.get() == {}
    else:
        assert math.isnan(said.mean[0]) and math.isnan(said.last[0])
        found = made.get()
        assert found["mean_mae"] == pytest.approx(float(np.mean(errors[0])), rel=1e-9, abs=1e-9)
        assert found["last_mae"] == pytest.approx(float(np.mean(errors[1])), rel=1e-9)


@pytest.mark.parametrize("make", [TrivialClassifier, TrivialRegressor])
@given(truth=classes, data=st.data())
def test_neither_cuts_nor_checkpoints_show(make: Any, truth: Codes, data: st.DataObject) -> None:
    # Given odd weights, some of them zero
    column = truth if make is TrivialClassifier else truth * 0.1 + 1e9
    weight = np.random.default_rng(len(truth)).uniform(-1, 3, len(truth)).clip(0)
    whole, cut, answers = make(), make(), []
    expected = whole.update(column, weight)
    # When the series comes in pieces, and is written down between them
    for rows in spans(np.arange(len(truth)), data):
        answers.append(cut.update(column[rows], weight[rows]))
        cut = make.from_state(unpack(pack(cut.state())))
    # Then nothing of it shows
    assert pack(cut.state()) == pack(whole.state())
    for place in range(2):
        joined = np.concatenate([each[place] for each in answers])
        np.testing.assert_array_equal(joined, expected[place])


@pytest.mark.parametrize(
    ("make", "column"), [(TrivialClassifier, [1, 0, 1]), (TrivialRegressor, [1.0, 5.0, 2.0])]
)
def test_a_row_without_weight_teaches_nothing(make: Any, column: Any) -> None:
    made, other = make(), make()
    made.update(np.array(column), np.array([1.0, 0.0, 1.0]))
    other.update(np.array([column[0], column[2]]))
    assert made.get() == other.get()
    # Nor does one that comes first.
    first = make()
    first.update(np.array(column), np.array([0.0, 1.0, 1.0]))
    other = make()
    other.update(np.array(column[1:]))
    assert first.get() == pytest.approx(other.get())


@pytest.mark.parametrize(
    ("make", "column"), [(TrivialClassifier, [1, 1, 0]), (TrivialRegressor, [1.0, 5.0, 3.0])]
)
def test_a_new_window_knows_what_came_before(make: Any, column: Any) -> None:
    made = make()
    made.update(np.array(column))
    made.restart()
    assert made.get() == {}
    # The first of the new window is answered from the old one: 1 or 0, 3 or 3.
    made.update(np.array(column[:1]))
    expected = {"majority_error_ratio": 0.0, "last_error_ratio": 1.0, "n": 1.0}
    if make is TrivialRegressor:
        expected = {"mean_mae": 2.0, "last_mae": 2.0, "n": 1.0}
    assert made.get() == expected


def test_an_offset_costs_no_digits() -> None:
    small = np.random.default_rng(3).integers(0, 9, 1_000).astype(np.float64)
    near, far = TrivialRegressor(), TrivialRegressor()
    near.update(small)
    far.update(small + 1e9)
    assert far.get() == pytest.approx(near.get(), rel=1e-6)


def test_the_largest_values_do_no_harm() -> None:
    made = TrivialRegressor()
    made.update(np.array([1.7e308, -1.7e308, 5e-324, 1.7e308]))
    assert all(math.isfinite(value) for value in made.get().values())


def test_refuses() -> None:
    with pytest.raises(ValueError, match="below 0"):
        TrivialClassifier().update(np.array([-1]))
    with pytest.raises(ValueError, match="truth holds NaN"):
        TrivialRegressor().update(np.array([math.nan]))
