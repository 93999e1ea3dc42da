"""Scaling in one pass: River's own numbers, and what is clipped."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import preprocessing

from streamgauge.pipelines.scaling import LARGEST, SCALINGS, WARM, Number

VALUES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("scaling", "river"),
    [("standard", preprocessing.StandardScaler), ("min_max", preprocessing.MinMaxScaler)],
)
@given(rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40))
def test_rows_are_river_s_bit_by_bit(
    scaling: str, river: Any, rows: list[tuple[float, float]]
) -> None:
    learn, apply = SCALINGS[scaling]
    columns, theirs = [Number("a"), Number("b")], river()
    for a, b in rows:
        event = {"a": a, "b": b}
        theirs.learn_one(event)
        learned: dict[str, float] = {}
        learn(columns, event.get, learned, 0.0)
        applied: dict[str, float] = {}
        apply(columns, event.get, applied, 0.0)
        assert learned == applied == theirs.transform_one(event)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("clip", [0.0, 3.0])
@settings(max_examples=60)
@given(values=st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3))))
def test_rows_are_finite_whatever_comes(scaling: str, clip: float, values: list[Any]) -> None:
    learn, apply = SCALINGS[scaling]
    columns = [Number("a")]
    for value in values:
        for fill in (learn, apply):
            row: dict[str, float] = {}
            fill(columns, {"a": value}.get, row, clip)
            assert all(math.isfinite(each) for each in row.values())


@settings(max_examples=60)
@given(values=st.lists(VALUES | st.sampled_from((0.0, 3.0, 1e9)), min_size=WARM, max_size=120))
def test_the_quick_way_of_unscaled_numbers_is_the_exact_one(values: list[float]) -> None:
    learn, apply = SCALINGS["none"]
    quick, exact = Number("a"), Number("a")
    for value in values:
        row: dict[str, float] = {}
        learn([quick], {"a": value}.get, row, 3.0)
        assert row["a"] == exact.clipped(value, 3.0)
        exact.take(value, 3.0)
        assert quick.state()[:4] == exact.state()[:4]
        apply([quick], {"a": value}.get, row, 3.0)
        assert row["a"] == exact.clipped(value, 3.0)


def trained(scaling: str, clip: float, n: int = 1000) -> Number:
    learn, _ = SCALINGS[scaling]
    column = Number("a")
    for i in range(n):
        learn([column], {"a": float(i % 11) - 5.0}.get, {}, clip)
    return column


@pytest.mark.parametrize("scaling", ["standard", "min_max", "none"])
def test_one_absurd_value_neither_shows_nor_blinds(scaling: str) -> None:
    # Given a feature between -5 and 5, clipped at six standard deviations
    learn, apply = SCALINGS[scaling]
    column = trained(scaling, 6.0)
    spread = column.var**0.5
    # When somebody sends a billion
    row: dict[str, float] = {}
    learn([column], {"a": 1e9}.get, row, 6.0)
    # Then the model sees a value six deviations off
    most = {"standard": 6.0, "min_max": 1.0, "none": 6.0 * spread + 1.0}[scaling]
    assert 0 < row["a"] <= most
    # And ordinary values still look different from each other
    assert column.var**0.5 < 2.5 * spread
    assert abs(column.mean) < 1.0
    low: dict[str, float] = {}
    apply([column], {"a": -5.0}.get, low, 6.0)
    assert low["a"] < row["a"]


def test_without_a_clip_nothing_is_clipped() -> None:
    column = trained("none", 0.0)
    row: dict[str, float] = {}
    SCALINGS["none"][0]([column], {"a": 1e9}.get, row, 0.0)
    assert row == {"a": 1e9}


@pytest.mark.parametrize("n", [1, WARM - 1])
def test_few_values_clip_nothing(n: int) -> None:
    column = trained("standard", 1.0, n)
    assert column.clipped(1e9, 1.0) == 1e9


def test_a_constant_feature_may_change() -> None:
    # Given a feature that never moved: no deviation is known to be too many
    column = Number("a")
    for _ in range(100):
        column.take(1.0, 6.0)
    column.take(2.0, 6.0)
    assert column.mean > 1.0 and column.var > 0.0


def test_what_is_beyond_all_measure_is_missing() -> None:
    learn, _ = SCALINGS["none"]
    column = Number("a")
    learn([column], {"a": 3.0}.get, {}, 0.0)
    for absurd in (math.nan, math.inf, LARGEST * 1.1, 10**400):
        row: dict[str, float] = {}
        learn([column], {"a": absurd}.get, row, 0.0)
        assert row == {"a": 3.0}
    assert column.n == 1
