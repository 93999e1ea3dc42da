"""Moments against NumPy, at the sizes where sums of squares go wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from streamgauge.metrics.moments import Moments
from streamgauge.state.packing import pack

Floats = NDArray[np.float64]


def of(values: Floats, *, shift: float = 0.0) -> Moments:
    made = Moments(shift=shift)
    made.update(values)
    return made


@given(values=arrays(np.float64, st.integers(1, 200), elements=st.floats(-1e6, 1e6)))
def test_equal_to_numpy(values: Floats) -> None:
    found = of(values, shift=float(values[0])).get()
    noise = 1e-7 * float(np.ptp(values)) + 1e-12 * float(np.abs(values).max())
    assert found["mean"] == pytest.approx(float(values.mean()), rel=1e-9, abs=1e-9)
    assert found["std"] == pytest.approx(float(values.std()), rel=1e-6, abs=noise)
    assert found["min"] == values.min()
    assert found["max"] == values.max()


@pytest.mark.parametrize("center", [0.0, 1e9, -1e12, 1.7e9])
def test_a_shift_keeps_the_digits_of_large_values(center: float) -> None:
    # Timestamps are such values: without a shift their spread would be noise.
    values = center + np.random.default_rng(5).normal(0, 1, 10_000)
    found = of(values, shift=center).get()
    assert found["mean"] == pytest.approx(float(values.mean()), rel=1e-12, abs=1e-3)
    assert found["std"] == pytest.approx(float(values.std()), rel=1e-4)


def test_nothing_has_no_figures() -> None:
    assert Moments().get() == {}
    assert of(np.array([])).get() == {}


def test_one_value() -> None:
    assert of(np.array([3.5])).get() == {"mean": 3.5, "std": 0.0, "min": 3.5, "max": 3.5}


@given(
    values=arrays(
        np.float64, st.integers(1, 30), elements=st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_the_largest_values_do_no_harm(values: Floats) -> None:
    found = of(values).get()
    assert found["min"] == values.min() and found["max"] == values.max()
    assert all(math.isfinite(value) for value in found.values())


def test_both_zeros_are_one() -> None:
    # Otherwise which of them is the smallest would depend on how a batch was cut.
    expected = pack(of(np.array([0.0])).state())
    assert pack(of(np.array([-0.0])).state()) == expected


def test_different_shifts_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="shifts"):
        Moments(shift=1.0).merge(Moments(shift=2.0))
