"""Bins: where values go, whatever the sample was."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from streamgauge.references.bins import (
    CATEGORY_LENGTH,
    MOST_BINS,
    MOST_CATEGORIES,
    CategoryBins,
    NumericBins,
    bins_from_plain,
    category_bins,
    mid_ranks,
    numeric_bins,
)

Floats = NDArray[np.float64]
anything = arrays(
    np.float64,
    st.integers(1, 300),
    elements=st.floats(allow_nan=False, allow_infinity=False),
)


def counted(bins: NumericBins, values: Floats) -> list[int]:
    return [int(n) for n in np.bincount(bins.place(values), minlength=bins.size)]


@given(sample=anything)
def test_every_sample_has_bins(sample: Floats) -> None:
    bins = numeric_bins(sample)
    assert bins.size - 2 <= MOST_BINS
    assert np.isfinite(bins.edges).all() and (np.diff(bins.edges) > 0).all()
    assert math.isfinite(bins.scale) and bins.scale >= 0
    assert len(bins.labels) == bins.size
    assert sum(counted(bins, sample)) == len(sample)


@given(sample=anything)
def test_the_outer_bins_hold_what_the_sample_never_had(sample: Floats) -> None:
    bins = numeric_bins(sample)
    counts = counted(bins, sample)
    # No double lies below the lowest one.
    if sample.min() > -np.finfo(np.float64).max:
        assert counts[0] == 0
    assert counts[-1] == 0
    assert bins.place(np.array([sample.max()]))[0] < bins.size - 1


@given(sample=anything, values=anything)
def test_larger_values_are_never_in_lower_bins(sample: Floats, values: Floats) -> None:
    places = numeric_bins(sample).place(np.sort(values))
    assert (np.diff(places) >= 0).all()


@given(sample=anything)
def test_plain_and_back(sample: Floats) -> None:
    bins = numeric_bins(sample)
    again = bins_from_plain(bins.plain())
    assert isinstance(again, NumericBins)
    assert again.edges.tobytes() == bins.edges.tobytes() and again.scale == bins.scale


def test_quantile_bins_hold_about_as_much_each() -> None:
    sample = np.random.default_rng(1).normal(0, 1, 10_000)
    bins = numeric_bins(sample)
    counts = counted(bins, sample)
    assert bins.size == 65
    # The smallest value has a bin of its own below the first quantile.
    assert counts[:2] == [0, 1]
    assert all(abs(n - 10_000 / 62) <= 2 for n in counts[2:-1])


def test_a_small_sample_has_few_bins() -> None:
    sample = np.random.default_rng(1).normal(0, 1, 100)
    assert min(counted(numeric_bins(sample), sample)[2:-1]) >= 9


def test_ties_share_a_bin_and_each_value_has_its_own() -> None:
    # A feature of few values: every one of them is told from the others.
    sample = np.repeat([0.0, 1.0, 2.0, 5.0], [700, 200, 60, 40])
    bins = numeric_bins(sample)
    places = bins.place(np.array([0.0, 1.0, 2.0, 5.0]))
    assert len(set(places.tolist())) == 4
    assert sorted(counted(bins, sample), reverse=True)[:4] == [700, 200, 60, 40]
    # And a value between two known ones does not pass for the lower.
    assert bins.place(np.array([0.5]))[0] == places[1]


def test_a_rare_value_beside_a_common_one() -> None:
    sample = np.concatenate((np.zeros(9990), np.arange(1.0, 11.0)))
    bins = numeric_bins(sample)
    assert counted(bins, sample) == [0, 9990, 10, 0]


def test_a_constant_column() -> None:
    bins = numeric_bins(np.full(500, 5.0))
    assert counted(bins, np.full(500, 5.0)) == [0, 500, 0]
    assert counted(bins, np.array([4.999, 5.0, 5.001])) == [1, 1, 1]
    assert bins.labels == ["< 5", "5", "> 5"]
    assert bins.scale == 5.0


def test_one_value() -> None:
    assert counted(numeric_bins(np.array([-3.0])), np.array([-4.0, -3.0, -2.0])) == [1, 1, 1]


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1.7976931348623157e308])
def test_values_at_the_ends_of_what_a_double_holds(value: float) -> None:
    bins = numeric_bins(np.full(100, value))
    assert counted(bins, np.full(100, value)) == [0, 100, 0]


def test_the_lowest_double_has_nothing_below() -> None:
    lowest = float(np.finfo(np.float64).min)
    bins = numeric_bins(np.array([lowest, 0.0, -lowest]))
    assert np.isfinite(bins.edges).all()
    assert counted(bins, np.array([lowest, 0.0, -lowest]))[-1] == 0
    assert bins.scale == pytest.approx(1e150 * math.sqrt(2 / 3))


def test_labels_say_where_a_bin_lies() -> None:
    bins = NumericBins(np.array([1.0, 2.5, 1e6]), 1.0)
    assert bins.labels == ["≤ 1", "1 – 2.5", "2.5 – 1e+06", "> 1e+06"]
    assert NumericBins(np.array([]), 1.0).labels == ["all"]
    # A value on an edge belongs to the bin below it.
    assert bins.place(np.array([1.0, 2.5, 1e6])).tolist() == [0, 1, 2]


def test_the_lowest_edge_is_just_below_the_sample() -> None:
    labels = numeric_bins(np.arange(1000.0)).labels
    assert labels[:3] == ["< 0", "0", "0 – 16"]
    assert labels[-2:] == ["983 – 999", "> 999"]


@pytest.mark.parametrize("seed", range(3))
def test_scale_is_the_root_mean_square(seed: int) -> None:
    sample = np.random.default_rng(seed).normal(3, 2, 1000)
    assert numeric_bins(sample).scale == pytest.approx(float(np.sqrt(np.mean(sample**2))))


def test_categories_most_frequent_first_and_the_rest_together() -> None:
    bins = category_bins(["b"] * 3 + ["a"] * 5 + ["c"] * 3)
    assert bins == CategoryBins(("a", "b", "c"))
    assert bins.labels == ["a", "b", "c", "(other)"]
    assert bins.place(["c", "zebra", "a", ""]).tolist() == [2, 3, 0, 3]
    assert bins_from_plain(bins.plain()) == bins


def test_the_order_of_rows_does_not_matter_to_ties() -> None:
    one, other = category_bins(list("abcabc")), category_bins(list("ccbbaa"))
    assert one == other == CategoryBins(("a", "b", "c"))


def test_more_categories_than_bins() -> None:
    sample = [f"city {i:03d}" for i in range(80) for _ in range(100 - i)]
    bins = category_bins(sample)
    assert bins is not None and bins.size == MOST_CATEGORIES + 1
    assert bins.categories[0] == "city 000"
    assert bins.place(["city 079"]).tolist() == [MOST_CATEGORIES]


@pytest.mark.parametrize(
    "sample",
    [
        [f"id-{i}" for i in range(1000)],
        [f"user {i % 600}" for i in range(1000)],
        [f"the {i}th sentence of a customer" for i in range(21)],
    ],
    ids=["ids", "mostly distinct", "few rows"],
)
def test_free_text_has_no_bins(sample: list[str]) -> None:
    assert category_bins(sample) is None


@pytest.mark.parametrize("distinct", [1, 2, 20])
def test_few_distinct_words_are_categories_however_few_rows(distinct: int) -> None:
    bins = category_bins([f"w{i:02d}" for i in range(distinct)])
    assert bins is not None and len(bins.categories) == distinct


def test_long_words_are_cut_alike_in_the_sample_and_after() -> None:
    word = "x" * 500
    bins = category_bins([word] * 5 + ["y"])
    assert bins is not None
    assert bins.categories == ("x" * CATEGORY_LENGTH, "y")
    assert bins.place([word, "x" * CATEGORY_LENGTH, "x"]).tolist() == [0, 0, 2]


def test_nothing_to_place() -> None:
    bins = CategoryBins(("a",))
    assert bins.place([]).shape == (0,)
    assert NumericBins(np.array([1.0]), 1.0).place(np.array([])).shape == (0,)


@given(counts=arrays(np.int64, st.integers(1, 70), elements=st.integers(0, 10**9)))
def test_mid_ranks_rise_from_0_to_1(counts: NDArray[np.int64]) -> None:
    ranks = mid_ranks(counts).tolist()
    assert all(0.0 <= one <= other <= 1.0 for one, other in pairwise([0.0, *ranks, 1.0]))


def test_mid_ranks_of_the_reference_itself_average_a_half() -> None:
    counts = np.array([3, 0, 10, 5, 100])
    assert np.dot(counts, mid_ranks(counts)) / counts.sum() == pytest.approx(0.5)
    assert mid_ranks(np.zeros(3, dtype=np.int64)).tolist() == [0.0, 0.0, 0.0]
