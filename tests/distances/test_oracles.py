"""Distances against SciPy, and against the figures that their thresholds were chosen by."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency, ks_2samp, wasserstein_distance

from streamgauge.distances import (
    ChiSquare,
    Distance,
    Hellinger,
    JensenShannon,
    KolmogorovSmirnov,
    PopulationStability,
    Wasserstein,
)
from streamgauge.distances.base import chi_square_quantile, sampling_noise, small_sample
from streamgauge.distances.wasserstein import bridge_area_quantile
from streamgauge.references.bins import mid_ranks

Counts = NDArray[np.int64]


@st.composite
def filled_pairs(draw: st.DrawFn, most: int = 10**9) -> tuple[Counts, Counts]:
    sides = arrays(np.int64, draw(st.integers(1, 64)), elements=st.integers(0, most))
    one, other = draw(sides), draw(sides)
    assume(one.sum() and other.sum())
    return one, other


@given(pair=filled_pairs())
def test_jensen_shannon_is_scipys(pair: tuple[Counts, Counts]) -> None:
    # Squared, because a root makes much of the last digit of a divergence near 0.
    expected = float(np.nan_to_num(jensenshannon(*pair, base=2)))
    assert JensenShannon().value(*pair) ** 2 == pytest.approx(expected**2, rel=1e-9, abs=1e-13)


def test_jensen_shannon_by_hand() -> None:
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4), written out.
    divergence = (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) / 2 + math.log2(4 / 3) / 2
    value = JensenShannon().value(np.array([5, 5]), np.array([7, 0]))
    assert value == pytest.approx(math.sqrt(divergence))


@given(pair=filled_pairs(most=40))
def test_kolmogorov_smirnov_is_scipys_with_ties(pair: tuple[Counts, Counts]) -> None:
    before, after = (np.repeat(np.arange(len(side)), side) for side in pair)
    assume(min(len(before), len(after)) > 1)
    expected = ks_2samp(before, after, method="asymp").statistic
    assert KolmogorovSmirnov().value(*pair) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_kolmogorov_smirnov_over_bins_is_a_lower_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.normal(0, 1, 5000), rng.normal(0.2, 1.1, 800)
    edges = np.quantile(before, np.linspace(0, 1, 65)[1:-1])
    binned = [np.bincount(np.searchsorted(edges, x), minlength=64) for x in (before, after)]
    value, exact = KolmogorovSmirnov().value(*binned), ks_2samp(before, after).statistic
    assert exact - 1 / 64 - 1e-9 <= value <= exact + 1e-9


def test_kolmogorov_smirnov_threshold_is_the_classic_one() -> None:
    # The textbook's 1.358 · √((n + m) / (n · m)) at 5 %.
    reference, current = np.array([600, 400]), np.array([100, 100])
    threshold = KolmogorovSmirnov().threshold(reference, current, alpha=0.05)
    assert threshold == pytest.approx(1.3581 * math.sqrt(1200 / (1000 * 200)), rel=1e-4)


def test_population_stability_by_hand() -> None:
    # Smoothed: (50.5, 50.5) / 101 against (80.5, 20.5) / 101.
    expected = (80.5 - 50.5) / 101 * math.log(80.5 / 50.5) + (20.5 - 50.5) / 101 * math.log(
        20.5 / 50.5
    )
    value = PopulationStability().value(np.array([50, 50]), np.array([80, 20]))
    assert value == pytest.approx(expected)


@given(pair=filled_pairs())
def test_hellinger_is_the_distance_of_roots(pair: tuple[Counts, Counts]) -> None:
    roots = (np.sqrt(side / side.sum()) for side in pair)
    expected = float(np.linalg.norm(np.subtract(*roots))) / math.sqrt(2)
    assert Hellinger().value(*pair) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(pair=filled_pairs(most=10**6))
def test_chi_square_is_scipys(pair: tuple[Counts, Counts]) -> None:
    table = np.stack(pair)[:, np.sum(pair, axis=0) > 0]
    expected = chi2_contingency(table, correction=False).statistic * sampling_noise(*pair)
    assert ChiSquare().value(*pair) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_chi_square_decides_as_scipy_does_where_bins_are_full() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        table = np.stack([rng.multinomial(n, [0.1] * 10) for n in (50_000, 20_000)])
        exceeds = ChiSquare().value(*table) > ChiSquare().threshold(*table, alpha=0.2)
        assert exceeds == (chi2_contingency(table, correction=False).pvalue < 0.2)


@given(pair=filled_pairs(most=1000))
def test_wasserstein_is_scipys_over_mid_ranks_with_ties(pair: tuple[Counts, Counts]) -> None:
    ranks = mid_ranks(pair[0])
    expected = wasserstein_distance(ranks, ranks, pair[0], pair[1])
    assert Wasserstein().value(*pair) == pytest.approx(expected, abs=1e-12)


def test_wasserstein_of_a_shift_by_one_deviation() -> None:
    # A normal moved by one deviation: the mean rank moves by Φ(1/√2) − ½ = 0.26.
    rng = np.random.default_rng(4)
    edges = np.quantile(rng.normal(size=100_000), np.linspace(0, 1, 65)[1:-1])
    before, after = (
        np.bincount(np.searchsorted(edges, rng.normal(mean, 1, 100_000)), minlength=64)
        for mean in (0.0, 1.0)
    )
    assert Wasserstein().value(before, after) == pytest.approx(0.2602, abs=0.005)


def test_area_under_a_bridge_against_simulation() -> None:
    # Steps of 1/1000 make the area of a path as good as exact; 20,000 paths, seeded.
    rng = np.random.default_rng(8)
    areas = np.concatenate([_areas(rng, 2000) for _ in range(10)])
    for alpha, quantile in [(0.10, 0.4993), (0.05, 0.5821), (0.01, 0.7518), (1e-3, 0.9543)]:
        assert bridge_area_quantile(alpha) == pytest.approx(quantile, abs=1e-4)
        share = float((areas > quantile).mean())
        assert share == pytest.approx(alpha, abs=4 * math.sqrt(alpha / 20_000))


def _areas(rng: np.random.Generator, paths: int) -> NDArray[np.float64]:
    walk = np.cumsum(rng.normal(size=(paths, 1000)), axis=1) / math.sqrt(1000)
    bridge = walk - np.arange(1, 1001) / 1000 * walk[:, -1:]
    return np.asarray(np.abs(bridge).mean(axis=1))


def test_area_under_a_bridge_far_out() -> None:
    # Janson (2007), section 21: P(∫|B| > x) → exp(−6x²) / (x √(6π)).
    for exponent in range(1, 13):
        x = bridge_area_quantile(10.0**-exponent)
        tail = math.exp(-6 * x * x) / (x * math.sqrt(6 * math.pi))
        assert tail == pytest.approx(10.0**-exponent, rel=0.35 / exponent + 0.02)
    quantiles = [bridge_area_quantile(a) for a in np.geomspace(1e-12, 0.5, 400)]
    assert quantiles == sorted(quantiles, reverse=True), "no jump where the series ends"


@pytest.mark.parametrize("name", ["chi_square", "hellinger", "wasserstein"])
@pytest.mark.parametrize(
    ("bins", "n", "window"), [(64, 10_000, 5000), (10, 5000, 1000), (2, 1000, 500)]
)
def test_thresholds_are_not_met_by_being_far_too_high(
    name: str, bins: int, n: int, window: int
) -> None:
    distance, rng = Distance.create(name), np.random.default_rng([bins, n])
    shares, over = rng.dirichlet(np.full(bins, 20.0)), 0
    for _ in range(4000):
        sides = rng.multinomial(n, shares), rng.multinomial(window, shares)
        over += distance.value(*sides) > distance.threshold(*sides, alpha=0.05)
    assert 0.7 <= over / 4000 / 0.05 <= 1.2


def test_quantiles_are_scipys_to_the_last_bit() -> None:
    for alpha in (0.5, 0.05, 1e-4, 1e-12):
        for dof in (1, 2, 9, 63):
            assert chi_square_quantile(alpha, dof) == float(chi2.isf(alpha, dof))


class Null(NamedTuple):
    """What two samples of one distribution do, over quantile bins of the first."""

    psi: NDArray[np.float64]
    js: NDArray[np.float64]
    smooth_js: NDArray[np.float64]
    before: Counts
    after: Counts


def null(bins: int, n: int, window: int, *, runs: int = 3000) -> Null:
    rng = np.random.default_rng([bins, n, window])
    psi, js = PopulationStability(), JensenShannon()
    found = []
    for _ in range(runs):
        sample = rng.normal(size=n)
        edges = np.quantile(sample, np.linspace(0, 1, bins + 1)[1:-1])
        before = np.bincount(np.searchsorted(edges, sample), minlength=bins)
        after = np.bincount(np.searchsorted(edges, rng.normal(size=window)), minlength=bins)
        # Twice the counts and one more: the shares of counts smoothed by a half.
        smooth = js.value(2 * before + 1, 2 * after + 1)
        found.append((psi.value(before, after), js.value(before, after), smooth))
    psis, exact, smoothed = np.array(found).T
    return Null(psis, exact, smoothed, before, after)


@pytest.mark.parametrize(
    ("bins", "n", "window", "psi_mean", "psi_q99", "psi_scaled", "js_q99", "over_tenth"),
    [
        (10, 1000, 100, 0.095, 0.246, 0.238, 0.206, 0.39),
        (10, 1000, 500, 0.027, 0.060, 0.065, 0.104, 0.0),
        (10, 10_000, 1000, 0.010, 0.023, 0.024, 0.065, 0.0),
        (20, 1000, 100, 0.189, 0.381, 0.398, 0.252, 0.93),
    ],
)
def test_what_chance_does(
    bins: int,
    n: int,
    window: int,
    psi_mean: float,
    psi_q99: float,
    psi_scaled: float,
    js_q99: float,
    over_tenth: float,
) -> None:
    found = null(bins, n, window)
    assert found.psi.mean() == pytest.approx(psi_mean, rel=0.06)
    assert np.quantile(found.psi, 0.99) == pytest.approx(psi_q99, rel=0.12)
    assert np.quantile(found.smooth_js, 0.99) == pytest.approx(js_q99, rel=0.06)
    # The folklore's 0.1 is a threshold on the size of the window.
    assert (found.psi > 0.1).mean() == pytest.approx(over_tenth, abs=0.03)

    # Chi-square alone is what the table has; small bins stretch what really happens.
    sides = (found.before, found.after)
    psi_threshold = PopulationStability().threshold(*sides, alpha=0.01)
    assert psi_threshold / small_sample(*sides) == pytest.approx(psi_scaled, rel=0.01)
    js_threshold = JensenShannon().threshold(*sides, alpha=0.01)
    assert js_threshold == pytest.approx(float(np.quantile(found.js, 0.99)), rel=0.03)


def test_bins_of_few_events_stretch_the_threshold_within_bounds() -> None:
    many, few = np.array([5000, 5000]), np.array([5, 5])
    assert small_sample(many, many) == pytest.approx(1.0002)
    assert small_sample(many, few) == pytest.approx(1.2)
    assert small_sample(np.full(64, 100), np.array([1] + [0] * 63)) == 2.0
    assert small_sample(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)) == 1.0
