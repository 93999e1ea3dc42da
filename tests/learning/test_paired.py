"""Losses as shares of a declared bound."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamgauge.learning.paired import clipped_losses


def test_losses_become_shares_of_the_bound() -> None:
    found = clipped_losses(np.array([-1.0, 0.0, 3.0, 1e308]), 4.0)
    assert found.tolist() == [0.0, 0.0, 0.75, 1.0]


def test_a_tiny_bound_overflows_nothing() -> None:
    assert clipped_losses(np.array([1e308]), 1e-300).tolist() == [1.0]


@pytest.mark.parametrize("bound", [0.0, -1.0, math.inf, math.nan])
def test_a_bound_is_above_zero(bound: float) -> None:
    with pytest.raises(ValueError, match="finite number above 0"):
        clipped_losses(np.array([1.0]), bound)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_is_finite(loss: float) -> None:
    with pytest.raises(ValueError, match="leave out events"):
        clipped_losses(np.array([loss]), 1.0)
