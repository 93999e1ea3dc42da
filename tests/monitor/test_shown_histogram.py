"""Histograms for people: few bars, whose names say where they lie."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.monitor.shown_histogram import MOST_BARS, shown_histogram
from streamgauge.references.bins import NumericBins, category_bins, numeric_bins


def test_bars_of_many_bins() -> None:
    sample = np.arange(1000.0)
    bins = numeric_bins(sample)
    reference = np.bincount(bins.place(sample), minlength=bins.size)
    current = np.bincount(bins.place(np.array([-5.0, 0.0, 5000.0])), minlength=bins.size)
    found = shown_histogram(bins, reference, current)
    assert len(found.bins) == len(found.reference) == len(found.current) <= MOST_BARS
    # What lies outside of the reference has bars of its own, in words that a person reads.
    assert (found.bins[0], found.bins[-1]) == ("< 0", "> 999")
    assert found.bins[1].startswith("0 – ")
    assert found.current[0] == found.current[-1] == pytest.approx(1 / 3, abs=1e-6)
    assert found.reference[0] == found.reference[-1] == 0.0
    assert sum(found.reference) == pytest.approx(1.0, abs=1e-4)
    ends = [name.split(" – ") for name in found.bins[1:-1]]
    assert [high for _, high in ends[:-1]] == [low for low, _ in ends[1:]]


def test_few_bins_are_shown_as_they_are() -> None:
    bins = NumericBins(np.array([1.0, 2.0]), 1.0)
    found = shown_histogram(bins, np.array([1, 2, 1]), np.array([0, 0, 0]))
    assert found.bins == ["≤ 1", "1 – 2", "> 2"]
    assert found.reference == [0.25, 0.5, 0.25]
    assert found.current == [0.0, 0.0, 0.0]


def test_rare_categories_share_a_bar_and_unknown_ones_have_theirs() -> None:
    bins = category_bins([f"c{i:02d}" for i in range(40) for _ in range(50 - i)])
    assert bins is not None
    counts = np.ones(bins.size, dtype=np.int64)
    found = shown_histogram(bins, counts, counts)
    assert len(found.bins) == MOST_BARS
    assert found.bins[0] == "c00" and found.bins[-2:] == ["(rarer)", "(other)"]
    assert sum(found.reference) == pytest.approx(1.0, abs=1e-4)
