"""What ``check`` promises to find is what the judgement finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from streamgauge.metrics.histogram import Histogram
from streamgauge.monitor import judge
from streamgauge.monitor.contents import TargetCounts
from streamgauge.monitor.power import (
    WITHIN_WINDOWS,
    Power,
    found_within,
    power,
    share_power,
    window_of,
)
from streamgauge.monitor.target import Target
from streamgauge.references.bins import CategoryBins, NumericBins, numeric_bins
from streamgauge.references.profile import TargetReference
from streamgauge.specs import ModelSpec

SPEC = ModelSpec.default("m")


Counts = NDArray[np.int64]


def simulated(planned: Power, size: float, *, runs: int = 100, seed: int = 1) -> float:
    """Share of runs in which the judgement itself fires within the promised windows."""
    rng = np.random.default_rng(seed)
    n, fired = planned.window.events, 0
    for _ in range(runs):
        # What is drawn are the bins' counts, which is what normal values would come to.
        bins = numeric_bins(rng.normal(size=500))
        usual, shifted = shares(bins, 0.0), shares(bins, size)
        blocks = rng.multinomial(n, usual, size=30)
        counts = rng.multinomial(planned.reference_events, usual)
        target = Target("x")
        target.use(TargetReference("numeric", bins, counts, mean=0.0, std=1.0, blocks=blocks))
        exceeding = [
            exceeds(target, rng.multinomial(n, shifted), planned.alpha)
            for _ in range(WITHIN_WINDOWS)
        ]
        fired += any(sum(exceeding[max(i - 2, 0) : i + 1]) >= 2 for i in range(WITHIN_WINDOWS))
    return fired / runs


def shares(bins: NumericBins, shift: float) -> NDArray[np.float64]:
    return np.diff(ndtr(bins.edges - shift), prepend=0.0, append=1.0)


def exceeds(target: Target, window: Counts, alpha: float) -> bool:
    counts = TargetCounts()
    counts.histogram = Histogram(bins=len(window))
    counts.histogram.counts = window
    counts.events = counts.squares = int(window.sum())
    counts.quality.update(counts.events)
    found = judge.distribution(
        target, counts, "feature_drift", alpha=alpha, start=0.0, end=60.0, seasons=False
    )
    return found.exceeds


@pytest.mark.parametrize("rate", [1.0, 50.0], ids=lambda r: f"{r:g} a second")
def test_the_smallest_shift_is_found_as_surely_as_promised(rate: float) -> None:
    # Given the smallest shift that is promised to be found in 95 of 100 cases
    planned = power(SPEC, rate=rate, features=20)
    assert planned.smallest_shift is not None
    # When the judgement looks at windows that moved by a tenth more, and by a third less
    found = simulated(planned, 1.1 * planned.smallest_shift)
    missed = simulated(planned, 0.67 * planned.smallest_shift)
    # Then it finds the first and not the second
    assert found >= 0.9
    assert missed <= 0.6
    assert simulated(planned, 0.0) == 0.0


def test_the_promise_of_the_design_one_sigma_within_five_windows() -> None:
    planned = power(SPEC, rate=50.0, features=20)
    one = next(shift for shift in planned.shifts if shift.size == 1.0)
    assert one.within > 0.95
    # Two full windows after the one in which it begins, and the grace.
    assert one.seconds == 3 * 60.0 + 30.0
    assert simulated(planned, 1.0) == 1.0


def test_a_class_that_becomes_frequent_is_found_from_the_share_that_is_promised() -> None:
    rng = np.random.default_rng(4)
    found = share_power(SPEC, 0.02, rate=50.0, features=20)
    planned = power(SPEC, rate=50.0, features=20)
    assert found is not None and 0.02 < found < 0.3
    bins = CategoryBins(("no", "yes"))
    target = Target("output.label")
    counts = np.array([98_000, 2_000, 0])
    blocks = np.stack([rng.multinomial(3000, [0.98, 0.02, 0.0]) for _ in range(30)])
    target.use(TargetReference("categorical", bins, counts, blocks=blocks))

    def heard(share: float) -> float:
        draws = rng.multinomial(3000, [1 - share, share, 0.0], size=100)
        return float(np.mean([exceeds(target, draw, planned.alpha) for draw in draws]))

    assert heard(1.1 * found) > 0.9
    assert heard(0.6 * found) < 0.1


@pytest.mark.parametrize(
    ("rate", "seconds", "events", "judged"),
    [
        (1000.0, 60.0, 60_000, True),
        (50.0, 60.0, 3_000, True),
        (1.0, 500.0, 500, True),
        (7.0, 80.0, 560, True),
        (1 / 60, 30_000.0, 500, True),
        (0.001, 86_400.0, 86, False),
    ],
)
def test_windows_grow_until_there_is_enough(
    rate: float, seconds: float, events: int, judged: bool
) -> None:
    window = window_of(SPEC, rate)
    assert window.seconds == pytest.approx(seconds)
    assert (window.events, window.judged) == (events, judged)


def test_what_is_never_judged_is_never_found() -> None:
    planned = power(SPEC, rate=0.001, features=5)
    assert planned.shifts == () and planned.smallest_shift is None
    assert share_power(SPEC, 0.1, rate=0.001, features=5) is None


def test_a_smaller_budget_finds_less() -> None:
    # Small windows: the level decides, not the floor of effects.
    def smallest(budget: float) -> float:
        spec = ModelSpec.from_document(
            {"model": "m", "false_alarms_per_month": budget, "defaults": {"min_events": 100}}
        )
        found = power(spec, rate=1.0, features=20).smallest_shift
        assert found is not None
        return found

    assert smallest(0.01) > smallest(1.0) > smallest(100.0)


def test_two_of_three_windows() -> None:
    rng = np.random.default_rng(2)
    spoke = rng.random((20_000, 12)) < 0.3
    fired = np.zeros(12)
    for run in spoke:
        first = next((i for i in range(12) if run[max(i - 2, 0) : i + 1].sum() >= 2), 12)
        fired[first:] += 1
    assert found_within(0.3, 12) == pytest.approx(fired / 20_000, abs=0.015)
