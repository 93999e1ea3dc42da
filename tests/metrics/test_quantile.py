"""Quantiles from bin counts: never outside the bin in which the true one lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from streamgauge.metrics.histogram import Histogram, quantile
from streamgauge.metrics.traffic import LATENCY_EDGES, LONGEST, Traffic

EDGES = np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 8.0])
quantiles = st.floats(0.001, 1.0)
samples = arrays(np.float64, st.integers(1, 80), elements=st.floats(-5, 12))


def counted(values: NDArray[np.float64]) -> NDArray[np.int64]:
    places = np.searchsorted(EDGES, values, side="left")
    return np.bincount(places, minlength=len(EDGES) + 1).astype(np.int64)


@given(values=samples, q=quantiles)
def test_lies_in_the_bin_of_the_true_one(values: NDArray[np.float64], q: float) -> None:
    true = float(np.sort(values)[max(math.ceil(q * len(values)) - 1, 0)])
    place = int(np.searchsorted(EDGES, true, side="left"))
    low, high = EDGES[max(place - 1, 0)], EDGES[min(place, len(EDGES) - 1)]
    found = quantile(EDGES, counted(values), q)
    assert found is not None and low <= found <= high


@given(values=samples, one=quantiles, other=quantiles)
def test_never_falls(values: NDArray[np.float64], one: float, other: float) -> None:
    low, high = (quantile(EDGES, counted(values), q) for q in sorted((one, other)))
    assert low is not None and high is not None
    assert low <= high + 1e-12


def test_interpolates_evenly() -> None:
    counts = np.array([0, 4, 0, 4, 0, 0, 0])
    assert quantile(EDGES, counts, 0.25) == pytest.approx(-1.25)
    assert quantile(EDGES, counts, 0.5) == pytest.approx(-0.5)
    assert quantile(EDGES, counts, 0.75) == pytest.approx(0.125)
    assert quantile(EDGES, counts, 1.0) == pytest.approx(0.25)


def test_open_bins_answer_with_their_edge() -> None:
    assert quantile(EDGES, counted(np.full(9, -4.0)), 0.5) == -2.0
    assert quantile(EDGES, counted(np.full(9, 11.0)), 0.5) == 8.0


def test_nothing_has_no_quantile() -> None:
    assert quantile(EDGES, np.zeros(7, dtype=np.int64), 0.5) is None
    assert quantile(np.array([]), np.array([5]), 0.5) is None


@pytest.mark.parametrize("seed", range(5))
def test_latency_is_near_the_true_quantile(seed: int) -> None:
    latency = np.random.default_rng(seed).lognormal(np.log(0.03), 0.8, 5000)
    traffic = Traffic()
    traffic.update(np.zeros(5000, dtype=np.int8), latency)
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert traffic.get()[name] == pytest.approx(float(np.quantile(latency, q)), rel=0.1)


@given(seconds=st.floats(1e-4, 100.0))
def test_latency_is_off_by_a_bin_at_most(seconds: float) -> None:
    traffic = Traffic()
    traffic.update(np.zeros(100, dtype=np.int8), np.full(100, seconds))
    for value in traffic.get().values():
        assert value == 0.0 or seconds / 1.34 <= value <= seconds * 1.34


def test_latency_on_an_edge_belongs_below_as_in_prometheus() -> None:
    traffic = Traffic()
    traffic.update(np.zeros(65, dtype=np.int8), LATENCY_EDGES.copy())
    assert traffic.latency.tolist() == [1] * 65 + [0]


def test_a_latency_of_ages_does_not_spoil_the_sum() -> None:
    traffic = Traffic()
    traffic.update(np.zeros(3, dtype=np.int8), np.array([0.25, 1e305, 0.5]))
    traffic.update(np.zeros(2000, dtype=np.int8), np.full(2000, 1.7e305))
    assert traffic.latency_sum == pytest.approx(0.75 + 2001 * LONGEST)
    assert traffic.timed == 2003


def test_error_ratio_and_those_that_did_not_say() -> None:
    traffic = Traffic()
    statuses = np.array([0, 1, 1, 2], dtype=np.int8)
    traffic.update(statuses, np.array([np.nan, 0.1, np.inf, 0.2]))
    assert traffic.get()["error_ratio"] == 0.5
    assert (traffic.n, traffic.timed) == (4, 2)
    assert traffic.latency_sum == pytest.approx(0.3)
    assert Traffic().get() == {}


def test_other_bins_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="bins"):
        Histogram(bins=3).merge(Histogram(bins=4))
