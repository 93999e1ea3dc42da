"""Reliability: the gaps of a diagram, and how large they are when nothing is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve

from streamgauge.metrics.calibration_null import null_quantile
from streamgauge.metrics.reliability import BINS, Reliability

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

ratios = st.one_of(st.floats(0, 1), st.integers(0, 15).map(lambda edge: edge / 15))


def of(*columns: Any) -> Reliability:
    made = Reliability()
    made.update(*columns)
    return made


def scores(kind: str, n: int, random: np.random.Generator) -> Floats:
    kinds: dict[str, Callable[[], Floats]] = {
        "even": lambda: random.random(n),
        "sure": lambda: random.beta(50, 0.5, n),
        "confident": lambda: random.beta(8, 2, n).clip(0.5, 1),
    }
    return kinds[kind]()


def simulated(scores: Floats, runs: int, random: np.random.Generator) -> Floats:
    """ECE of a model that is calibrated to the last digit, from every single score."""
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], scores)
    gaps = (random.random((runs, len(scores))) < scores) - scores
    inside = np.zeros((len(scores), BINS))
    inside[np.arange(len(scores)), bins] = 1 / len(scores)
    return np.asarray(np.abs(gaps @ inside).sum(axis=1))


@settings(max_examples=60)
@given(data=st.data())
def test_the_diagram_is_that_of_scikit_learn(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 60))
    confidence, correct = (
        data.draw(arrays(np.float64, n, elements=ratios)),
        data.draw(arrays(np.bool_, n)),
    )
    made = of(confidence, correct)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=BINS)
    bins = made.bins()
    assert [each.accuracy for each in bins] == pytest.approx(accuracy.tolist(), rel=1e-9)
    assert [each.confidence for each in bins] == pytest.approx(mean.tolist(), rel=1e-9, abs=1e-12)
    gaps, share = np.abs(accuracy - mean), np.array([each.n for each in bins]) / n
    assert made.get()["ece"] == pytest.approx(float(gaps @ share), rel=1e-9, abs=1e-12)
    assert made.get()["mce"] == pytest.approx(float(gaps.max()), rel=1e-9, abs=1e-12)
    # A bin reaches from its lower edge, exclusive, to its upper.
    for each in bins:
        assert each.lower <= each.confidence <= each.upper + 1e-12


def test_a_weight_is_that_many_events() -> None:
    random = np.random.default_rng(2)
    confidence, correct = random.random(50), random.random(50) < 0.5
    weight = random.integers(1, 5, 50)
    one = of(confidence, correct, weight.astype(np.float64))
    other = of(np.repeat(confidence, weight), np.repeat(correct, weight))
    assert one.get() == pytest.approx(other.get(), rel=1e-9)
    # But it is worth less than as many events: chance reaches farther.
    assert one.effective_n < other.effective_n == other.n
    mine, theirs = one.ece_threshold(0.01), other.ece_threshold(0.01)
    assert mine is not None and theirs is not None and mine > 1.1 * theirs


@pytest.mark.parametrize("kind", ["even", "sure", "confident"])
@pytest.mark.parametrize("n", [100, 1_000])
def test_the_threshold_is_what_chance_exceeds_as_often_as_promised(kind: str, n: int) -> None:
    # Given thousands of windows with the very scores of this one, and a calibrated model
    random = np.random.default_rng(7)
    confidence, runs = scores(kind, n, random), 4_000
    chance = simulated(confidence, runs, random)
    made = of(confidence, random.random(n) < confidence)
    for alpha in (0.1, 0.01):
        threshold = made.ece_threshold(alpha)
        assert threshold is not None
        # Then as many are above as alpha says, or fewer where few values are possible
        above = np.count_nonzero(chance > threshold) / runs
        noise = 4 * math.sqrt(alpha * (1 - alpha) / runs)
        assert above < alpha * 1.1 + noise
        if kind != "sure":
            assert above > alpha * 0.9 - noise


@pytest.mark.parametrize(
    ("n", "middle", "high"), [(100, 0.123, 0.186), (1_000, 0.040, 0.063), (10_000, 0.013, 0.020)]
)
def test_the_table_of_known_calibration_errors(n: int, middle: float, high: float) -> None:
    # Measured elsewhere, with scores that nobody wrote down: mean and 99 % of windows
    made = of(scores("even", n, np.random.default_rng(1)), np.zeros(n, dtype=np.bool_))
    assert made.ece_threshold(0.5) == pytest.approx(middle, rel=0.1)
    assert made.ece_threshold(0.01) == pytest.approx(high, rel=0.1)


def test_exact_where_it_can_be_counted_by_hand() -> None:
    # Given four events of 80 %: the error is 0.8 − k/4 for k hits, three times near, once far
    made = of(np.full(4, 0.8), np.ones(4, dtype=np.bool_))
    # All wrong: 0.0016; one right: 0.0256; two: 0.1536; three or four: the rest
    for alpha, expected in [(0.001, 0.8), (0.01, 0.55), (0.1, 0.3), (0.3, 0.2)]:
        assert made.ece_threshold(alpha) == pytest.approx(expected, abs=0.002)


def test_large_and_small_bins_are_of_one_piece() -> None:
    # Given a bin so large that it is taken for normal, and one that hardly is not
    large, small = (
        null_quantile(share=np.ones(1), events=np.array([n]), mean=np.array([0.5]), alpha=0.01)
        for n in (6_500.0, 6_300.0)
    )
    assert large * math.sqrt(6_500) == pytest.approx(small * math.sqrt(6_300), rel=0.01)
    assert large == pytest.approx(2.5758 * 0.5 / math.sqrt(6_500), rel=0.01)


def test_rare_chances_go_on_as_they_began() -> None:
    made = of(scores("even", 1_000, np.random.default_rng(5)), np.zeros(1_000, dtype=np.bool_))
    found = [made.ece_threshold(10.0**-power) or 0.0 for power in range(1, 13)]
    assert found[:9] == sorted(set(found[:9])) and found[8] < 0.12
    # Less than one in a billion is not told apart.
    assert len(set(found[8:])) == 1


def test_a_model_that_is_always_sure_may_never_be_wrong() -> None:
    made = of(np.array([1.0, 1.0, 0.0]), np.array([True, True, False]))
    assert made.get()["ece"] == 0.0 and made.ece_threshold(0.01) == 0.0


def test_an_overconfident_model_exceeds_the_threshold() -> None:
    # Given a model that says 90 % and is right in 80 %
    random = np.random.default_rng(8)
    confidence = random.uniform(0.85, 0.95, 500)
    made = of(confidence, random.random(500) < confidence - 0.1)
    threshold = made.ece_threshold(1e-5)
    assert threshold is not None and made.get()["ece"] > threshold


def test_nothing_has_no_figures() -> None:
    assert Reliability().get() == {} and Reliability().bins() == []
    assert Reliability().ece_threshold(0.01) is None
    assert of(np.ones(1), np.ones(1, dtype=np.bool_), np.zeros(1)).get() == {}


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, math.nan])
def test_refuses_what_is_no_chance(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        of(np.array([0.5]), np.array([True])).ece_threshold(alpha)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_refuses_what_is_no_confidence(value: float) -> None:
    made = Reliability()
    with pytest.raises(ValueError, match="confidence must be within"):
        made.update(np.array([value]), np.array([True]))
    assert made.get() == {}


@given(
    confidence=arrays(np.float64, st.integers(1, 30), elements=ratios),
    weight=st.sampled_from([1.0, 1e-9, 1e9]),
)
def test_every_window_has_a_threshold(confidence: Floats, weight: float) -> None:
    made = of(confidence, confidence > 0.5, np.full(len(confidence), weight))
    found = made.ece_threshold(0.01)
    assert found is not None and 0.0 <= found <= 1.0
