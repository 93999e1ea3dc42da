"""Lengths of texts and vectors, as a column like any other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.batch.features import ABSENT, NULL, NUMBER, feature_columns
from streamgauge.batch.lengths import length_column

nan = math.nan


@pytest.mark.parametrize(
    ("event", "kind", "length"),
    [
        ({"x": "größe"}, NUMBER, 5.0),
        ({"x": ""}, NUMBER, 0.0),
        ({"x": True}, NUMBER, 4.0),
        ({"x": [1.0, 2.0, 3.0]}, NUMBER, 3.0),
        ({"x": []}, NUMBER, 0.0),
        ({"x": 7.0}, ABSENT, nan),
        ({"x": None}, NULL, nan),
        ({}, ABSENT, nan),
    ],
)
def test_one_value(event: dict[str, Any], kind: int, length: float) -> None:
    column = length_column(feature_columns([event], ["x"])["x"])
    assert column.kind.tolist() == [kind]
    np.testing.assert_equal(column.values, [length])
    assert column.categories is None


@given(
    st.lists(
        st.one_of(st.none(), st.floats(0, 9), st.text(max_size=5), st.lists(st.floats(0, 1))),
        max_size=20,
    )
)
def test_many_values_are_each_by_itself(values: list[Any]) -> None:
    events = [{"x": value} for value in values]
    together = length_column(feature_columns(events, ["x"])["x"])
    alone = [length_column(feature_columns([event], ["x"])["x"]) for event in events]
    assert together.kind.tolist() == [int(each.kind[0]) for each in alone]
    np.testing.assert_equal(together.values, [float(each.values[0]) for each in alone])
    assert together.kind.dtype == np.int8
