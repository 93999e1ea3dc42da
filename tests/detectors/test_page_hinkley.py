"""Page-Hinkley: River's class number by number, its known answers, and its quiet on ranks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from river.drift import PageHinkley as RiverPageHinkley
from scipy.signal import lfilter
from scipy.special import ndtr

from streamgauge.detectors import PageHinkley

Floats = NDArray[np.float64]
#: River's own defaults, which are for errors of 0 and 1.
RIVERS: dict[str, Any] = {"delta": 0.005, "threshold": 50.0, "alpha": 1 - 0.0001}


def anchor_stream() -> Floats:
    """Stream s1 of River's tests: the legacy generator, so that it never changes."""
    rng = np.random.RandomState(12345)
    stream = np.concatenate((rng.randint(2, size=1000), rng.randint(8, size=1000)))
    return stream.astype(np.float64)


def bernoulli(*rates: float, n: int = 1000, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.concatenate([(rng.random(n) < rate).astype(np.float64) for rate in rates])


def ranks(n: int, *, phi: float = 0.0, shift: float = 0.0, at: int = 0, seed: int) -> Floats:
    """Ranks of an AR(1) series of deviation 1, in the distribution before the shift."""
    noise = np.random.default_rng(seed).normal(size=n)
    noise[1:] *= np.sqrt(1 - phi**2)
    series = lfilter([1], [1, -phi], noise)
    series[at:] += shift
    return np.asarray(ndtr(series))


def by_river(stream: Floats, **params: Any) -> tuple[list[int], list[tuple[float, ...]]]:
    """Detections, and the inside after every value, of River's class."""
    detector = RiverPageHinkley(**params)
    found: list[int] = []
    insides: list[tuple[float, ...]] = []
    for index, value in enumerate(stream.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(index)
        sums = (detector._sum_increase, detector._sum_decrease)
        bounds = (detector._min_increase, detector._max_decrease)
        insides.append((detector._x_mean.n, detector._x_mean.get(), *sums, *bounds))
    return found, insides


def by_ours(stream: Floats, **params: Any) -> tuple[list[int], list[tuple[float, ...]]]:
    detector = PageHinkley(**params)
    found: list[int] = []
    insides: list[tuple[float, ...]] = []
    for index, value in enumerate(stream.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(index)
        _, _, n, inside = detector.state()
        insides.append((float(n), *inside))
    return found, insides


def test_anchor() -> None:
    # Older releases said 1020 and 1991: an upgrade that moves the line must be seen.
    expected = [1020, 1397, 1548, 1988]
    assert by_river(anchor_stream(), **RIVERS)[0] == expected
    assert PageHinkley(**RIVERS).update_many(anchor_stream()) == expected


@pytest.mark.parametrize("mode", ["both", "up", "down"])
@pytest.mark.parametrize(
    "params",
    [
        RIVERS,
        {"delta": 0.13, "threshold": 40.0, "alpha": 1.0},
        {"delta": 0.0, "threshold": 3.0, "alpha": 0.99, "min_instances": 1},
        {"delta": 0.05, "threshold": 10.0, "alpha": 1.0, "min_instances": 200},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_equals_river_bit_by_bit(params: dict[str, Any], mode: str, seed: int) -> None:
    stream = bernoulli(0.1, 0.9, 0.2, 0.8, seed=seed)
    ours, rivers = by_ours(stream, mode=mode, **params), by_river(stream, mode=mode, **params)
    assert ours == rivers
    assert ours[0], "streams without a detection prove nothing"


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200),
    delta=st.floats(0, 1),
    threshold=st.floats(1e-3, 1e3),
    alpha=st.floats(0.5, 1),
)
def test_equals_river_on_any_values(
    values: list[float], delta: float, threshold: float, alpha: float
) -> None:
    stream = np.array(values)
    params = {"min_instances": 2, "delta": delta, "threshold": threshold, "alpha": alpha}
    assert by_ours(stream, **params) == by_river(stream, **params)


@pytest.mark.parametrize(
    ("mode", "rates", "fires"),
    [
        ("up", (0.2, 0.9), True),
        ("up", (0.9, 0.2), False),
        ("down", (0.9, 0.2), True),
        ("down", (0.2, 0.9), False),
        ("both", (0.2, 0.9), True),
        ("both", (0.9, 0.2), True),
    ],
)
def test_direction(
    mode: Literal["both", "up", "down"], rates: tuple[float, float], fires: bool
) -> None:
    found = PageHinkley(mode=mode).update_many(bernoulli(*rates, seed=3))
    assert bool(found) is fires
    assert not found or found[0] >= 1000


def test_mean_delay_on_errors_is_rivers() -> None:
    # Error rate 0.2 to 0.5 over 30 streams: 168 events on average, none missed.
    delays = []
    for seed in range(30):
        found = PageHinkley(**RIVERS, mode="up").update_many(bernoulli(0.2, 0.5, seed=seed))
        delays += [index - 1000 for index in found if index >= 1000][:1]
    assert len(delays) == 30
    assert 130 <= float(np.mean(delays)) <= 210


def test_rivers_defaults_are_not_for_ranks_and_ours_are() -> None:
    # A day of one event a second, without any change; 0.5 is what the docstring promises.
    slow = [ranks(86_400, phi=0.9, seed=seed) for seed in range(6)]
    assert sum(len(PageHinkley().update_many(each)) for each in slow) <= 9
    assert len(PageHinkley(**RIVERS).update_many(slow[0])) > 30
    # Fading forgets the sum and not its minimum: even independent events fire, sooner or later.
    quick = [ranks(86_400, seed=seed) for seed in range(4)]
    assert sum(len(PageHinkley().update_many(each)) for each in quick) == 0
    assert sum(len(PageHinkley(**RIVERS).update_many(each)) for each in quick) > 0


@pytest.mark.parametrize(
    ("phi", "shift", "delay"), [(0.0, 1.0, 351), (0.9, 1.0, 354), (0.0, 2.0, 142), (0.9, -2.0, 128)]
)
def test_a_shift_is_found_as_soon_as_promised(phi: float, shift: float, delay: float) -> None:
    delays = []
    for seed in range(20):
        found = PageHinkley().update_many(ranks(9000, phi=phi, shift=shift, at=3000, seed=seed))
        delays += [index - 3000 for index in found if index >= 3000][:1]
    assert len(delays) == 20
    assert float(np.mean(delays)) == pytest.approx(delay, rel=0.15)


def test_on_means_of_panes() -> None:
    params: dict[str, Any] = {"delta": 0.1, "threshold": 1.0}
    for seed in range(2):
        quiet = ranks(100 * 8640, phi=0.9, seed=seed).reshape(-1, 100).mean(axis=1)
        assert PageHinkley(**params).update_many(quiet) == []
        series = ranks(100 * 600, phi=0.9, shift=1.0, at=100 * 300, seed=seed)
        found = PageHinkley(**params).update_many(series.reshape(-1, 100).mean(axis=1))
        assert 300 <= found[0] <= 310


@pytest.mark.parametrize(
    "params",
    [{"min_instances": 0}, {"delta": -0.1}, {"threshold": 0}, {"alpha": 0}, {"alpha": 1.1}],
)
def test_parameters_that_can_not_work(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted: min_instances of 1 or more"):
        PageHinkley(**params)


def test_a_mode_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="mode 'sideways' is none of both, up, down"):
        PageHinkley(mode="sideways")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "state",
    [
        [5, False, 5, [0.0, 0.0, 0.0, 0.0]],
        [5, False, 5, []],
        [5, False, 0, [0.0] * 5],
        [5, False, 9, [0.0] * 5],
        [5, 0, 5, [0.0] * 5],
        [-1, False, -1, [0.0] * 5],
        [5, False, 5, [0.0, 0.0, 0.0, float("inf"), 0.0]],
        [5, False, 5, [float("nan"), 0.0, 0.0, 0.0, 0.0]],
        [5, False, 5, ["0"] * 5],
    ],
)
def test_a_state_that_is_none_is_refused(state: list[Any]) -> None:
    detector = PageHinkley()
    detector.update_many(bernoulli(0.2, seed=2))
    before = detector.state()
    with pytest.raises(ValueError, match="not the state of a PageHinkley"):
        detector.restore(state)
    assert detector.state() == before
