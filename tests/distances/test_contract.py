"""What every distance must do, whichever file it stands in."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from streamgauge.distances import Distance
from streamgauge.monitor.calibration import merge_rare, regroup

Counts = NDArray[np.int64]

#: A registered distance is in the suite without being listed here.
every_distance = pytest.mark.parametrize("name", Distance.names())
#: Those that say the same whichever side is called the reference.
SYMMETRIC = ["chi_square", "hellinger", "js", "ks", "psi"]
#: Those that can't exceed 1.
BOUNDED = ["hellinger", "js", "ks", "wasserstein"]
MOST = 10**12


def histogram(*counts: int) -> Counts:
    return np.array(counts, dtype=np.int64)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Counts, Counts]:
    """Two histograms over the same bins, with empty bins and sides among them."""
    most = draw(st.sampled_from([1, 10, 1000, MOST]))
    shape = draw(st.integers(1, 70))
    sides = arrays(np.int64, shape, elements=st.integers(0, most))
    return draw(sides), draw(sides)


@every_distance
@given(pair=pairs())
def test_finite_and_never_negative(name: str, pair: tuple[Counts, Counts]) -> None:
    distance = Distance.create(name)
    value = distance.value(*pair)
    assert type(value) is float
    assert math.isfinite(value) and value >= 0.0
    if name in BOUNDED:
        assert value <= 1.0


@every_distance
@given(pair=pairs(), alpha=st.floats(1e-12, 0.5))
def test_threshold_is_finite_and_positive(
    name: str, pair: tuple[Counts, Counts], alpha: float
) -> None:
    threshold = Distance.create(name).threshold(*pair, alpha=alpha)
    assert type(threshold) is float
    assert math.isfinite(threshold) and threshold > 0.0


@every_distance
@given(pair=pairs())
def test_no_distance_from_itself(name: str, pair: tuple[Counts, Counts]) -> None:
    assert Distance.create(name).value(pair[0], pair[0].copy()) == 0.0


@pytest.mark.parametrize("name", BOUNDED)
@given(pair=pairs(), factor=st.integers(2, 1000))
def test_equal_shares_are_no_distance(name: str, pair: tuple[Counts, Counts], factor: int) -> None:
    # PSI smooths its counts, so it alone sees how many there are.
    assert Distance.create(name).value(pair[0], pair[0] * factor) <= 1e-7


@pytest.mark.parametrize("name", SYMMETRIC)
@given(pair=pairs())
def test_symmetric(name: str, pair: tuple[Counts, Counts]) -> None:
    distance = Distance.create(name)
    assert distance.value(*pair) == pytest.approx(distance.value(*pair[::-1]), rel=1e-9, abs=1e-9)


@every_distance
@given(pair=pairs())
def test_arguments_stay_as_they_are(name: str, pair: tuple[Counts, Counts]) -> None:
    before = [side.copy() for side in pair]
    distance = Distance.create(name)
    distance.value(*pair)
    distance.threshold(*pair, alpha=0.01)
    np.testing.assert_array_equal(pair[0], before[0])
    np.testing.assert_array_equal(pair[1], before[1])


@every_distance
@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (histogram(0, 0, 0), histogram(1, 2, 3)),
        (histogram(1, 2, 3), histogram(0, 0, 0)),
        (histogram(0, 0, 0), histogram(0, 0, 0)),
    ],
    ids=["no reference", "no window", "nothing"],
)
def test_nothing_measured_is_no_distance(name: str, reference: Counts, current: Counts) -> None:
    assert Distance.create(name).value(reference, current) == 0.0


@every_distance
def test_farther_is_more(name: str) -> None:
    distance, reference = Distance.create(name), histogram(100, 100, 100, 100)
    values = [
        distance.value(reference, histogram(100 - k, 100, 100, 100 + k)) for k in range(0, 101, 10)
    ]
    assert values == sorted(values) and values[0] == 0.0 < values[1]


@every_distance
def test_smaller_chance_is_a_higher_threshold(name: str) -> None:
    distance, counts = Distance.create(name), histogram(500, 300, 200)
    alphas = [0.1, 0.01, 1e-3, 1e-6, 1e-9]
    thresholds = [distance.threshold(counts, counts, alpha=alpha) for alpha in alphas]
    assert thresholds == sorted(set(thresholds))


@every_distance
def test_only_those_with_an_order_heed_it(name: str) -> None:
    distance, order = Distance.create(name), [2, 0, 3, 1]
    one, other = histogram(10, 20, 30, 40), histogram(15, 15, 50, 20)
    same = distance.value(one[order], other[order]) == pytest.approx(distance.value(one, other))
    assert same is not distance.ordered


def exceedances(
    name: str, shares: list[float], n: int, window: int, alphas: list[float], *, seed: int
) -> list[float]:
    """How often two samples of one distribution lie farther apart than each threshold."""
    distance, rng, runs = Distance.create(name), np.random.default_rng(seed), 3000
    found = np.zeros(len(alphas))
    for _ in range(runs):
        reference, current = rng.multinomial(n, shares), rng.multinomial(window, shares)
        groups = merge_rare(reference, window)
        p, q = regroup(reference, groups), regroup(current, groups)
        value = distance.value(p, q)
        found += [value > distance.threshold(p, q, alpha=alpha) for alpha in alphas]
    return [float(each) / runs for each in found]


EVEN = [1 / 64] * 64
#: Most events in few bins, as of a skewed feature or of categories.
SKEWED = [float(s) for s in 0.5 ** np.arange(1, 20)]
SKEWED = [s / sum(SKEWED) for s in SKEWED]
FEW = [0.7, 0.2, 0.1]


@every_distance
@pytest.mark.parametrize(
    ("shares", "n", "window"),
    [
        (EVEN, 10_000, 500),
        (EVEN, 10_000, 5000),
        (EVEN, 1000, 500),
        (SKEWED, 5000, 500),
        (SKEWED, 1000, 100),
        (FEW, 1000, 500),
        (FEW, 50_000, 50_000),
    ],
    ids=["even", "wide", "young", "skewed", "small", "few", "large"],
)
def test_chance_alone_exceeds_as_seldom_as_promised(
    name: str, shares: list[float], n: int, window: int
) -> None:
    alphas = [0.05, 0.01]
    found = exceedances(name, shares, n, window, alphas, seed=42)
    for alpha, share in zip(alphas, found, strict=True):
        assert share <= 1.5 * alpha


@every_distance
def test_a_shift_exceeds(name: str) -> None:
    # The threshold is no excuse: half a deviation of a normal, and a window of 500, is seen.
    rng, distance = np.random.default_rng(1), Distance.create(name)
    edges = np.quantile(rng.normal(0, 1, 100_000), np.linspace(0, 1, 33)[1:-1])
    reference = np.bincount(np.searchsorted(edges, rng.normal(0, 1, 10_000)), minlength=32)
    current = np.bincount(np.searchsorted(edges, rng.normal(0.5, 1, 500)), minlength=32)
    assert distance.value(reference, current) > distance.threshold(reference, current, alpha=1e-4)


@every_distance
def test_says_how_to_use_it_and_where_it_is_from(name: str) -> None:
    text = inspect.getdoc(Distance.named(name)) or ""
    assert "Examples\n--------\n>>> " in text
    assert "References\n----------\n" in text
