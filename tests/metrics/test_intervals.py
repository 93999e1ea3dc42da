"""Intervals hold the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from streamgauge.metrics.intervals import mean_interval, share_interval

confidences = st.sampled_from([0.5, 0.9, 0.95, 0.999])


@given(n=st.integers(1, 10_000), data=st.data(), confidence=confidences)
def test_a_share_is_as_in_scipy(n: int, data: st.DataObject, confidence: float) -> None:
    hits = data.draw(st.integers(0, n))
    found = share_interval(hits / n, n, confidence=confidence)
    expected = binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert found is not None
    assert found == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)
    assert 0.0 <= found.low <= hits / n <= found.high <= 1.0


@given(
    share=st.floats(0, 1),
    n=st.floats(min_value=0, max_value=1e300, exclude_min=True),
    confidence=confidences,
)
def test_a_share_of_any_weight_stays_within(share: float, n: float, confidence: float) -> None:
    found = share_interval(share, n, confidence=confidence)
    assert found is not None and 0.0 <= found.low <= found.high <= 1.0


def test_a_mean_is_held_as_often_as_promised() -> None:
    # Given two thousand samples of 50, of a mean of 3
    samples = np.random.default_rng(2).normal(3, 2, (2_000, 50))
    held = 0
    for mean, std in zip(samples.mean(axis=1).tolist(), samples.std(axis=1).tolist(), strict=True):
        found = mean_interval(mean, std, 50, confidence=0.9)
        assert found is not None
        held += found.low <= 3 <= found.high
    # Then about nine in ten intervals hold it
    assert 0.88 < held / 2_000 < 0.915


def test_too_few_have_none() -> None:
    assert share_interval(0.5, 0) is None
    assert mean_interval(1.0, 0.0, 1) is None
    assert mean_interval(1e308, 1e308, 2) is None


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, math.nan])
def test_refuses_what_is_no_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"as 0\.95"):
        share_interval(0.5, 10, confidence=confidence)
    with pytest.raises(ValueError, match=r"as 0\.95"):
        mean_interval(0.5, 1.0, 10, confidence=confidence)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_refuses_what_is_no_share(value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_interval(value, 10)


@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_refuses_what_is_no_spread(value: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        mean_interval(0.0, value, 10)
