"""A grid of bins finds what each feature's own search finds."""

from __future__ import annotations

import math
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamgauge.references.bins import NumericBins, numeric_bins
from streamgauge.references.number_grid import NumberGrid

FINITE = st.floats(allow_nan=False, allow_infinity=False)
LOT = sys.float_info.max
#: Samples as they come: of any size, alike, close together, and far apart.
SAMPLES = st.one_of(
    st.lists(FINITE, min_size=1, max_size=200),
    st.lists(st.integers(0, 5).map(float), min_size=1, max_size=200),
    st.lists(st.floats(-1.0, 1.0), min_size=50, max_size=200),
)


def around(bins: NumericBins, more: list[float]) -> NDArray[np.float64]:
    """Edges, the doubles next to them, and other values."""
    beside = [math.nextafter(edge, to) for edge in bins.edges.tolist() for to in (-LOT, LOT)]
    return np.array([*bins.edges.tolist(), *beside, *more, 0.0, -0.0, -LOT, LOT])


@given(samples=st.lists(SAMPLES, min_size=1, max_size=4), more=st.lists(FINITE, max_size=20))
def test_a_value_lies_where_a_search_finds_it(
    samples: list[list[float]], more: list[float]
) -> None:
    # Given features with quantile bins of whatever they were
    bins = [numeric_bins(np.array(sample)) for sample in samples]
    asked = [around(each, more) for each in bins]
    n = min(map(len, asked))
    # When a table of values is placed
    values = np.array([each[:n] for each in asked])
    places = NumberGrid(bins).place(values)
    # Then each feature has what its own search finds
    for row, each in enumerate(bins):
        assert places[row].tolist() == each.place(values[row]).tolist()


def test_a_feature_without_an_edge_has_one_bin() -> None:
    bins = [NumericBins(np.array([]), 1.0), NumericBins(np.array([2.0]), 1.0)]
    places = NumberGrid(bins).place(np.array([[1.0, 3.0], [1.0, 3.0]]))
    assert places.tolist() == [[0, 0], [0, 1]]


def test_nan_is_placed_anywhere_and_warns_nobody() -> None:
    bins = [numeric_bins(np.arange(100.0))]
    assert NumberGrid(bins).place(np.array([[np.nan, 50.0]])).shape == (1, 2)


def test_a_grid_knows_its_own_bins() -> None:
    one, other = numeric_bins(np.arange(100.0)), numeric_bins(np.arange(100.0))
    assert NumberGrid([one]).holds([one])
    assert not NumberGrid([one]).holds([other])
    assert not NumberGrid([one]).holds([one, other])
