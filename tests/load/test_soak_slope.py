"""What the soak says of a process' memory."""

from __future__ import annotations

import numpy as np
import pytest

from load_tests.faults.soak import slope


def test_memory_that_grows_steadily_has_that_slope_and_no_error() -> None:
    looks = [(5.0 * i, 200.0 + 3.0 * 5.0 * i / 3600) for i in range(100)]
    assert slope(looks) == (3.0, 0.0)


def test_memory_that_only_wavers_has_none_within_its_error() -> None:
    rng = np.random.default_rng(1)
    looks = [(5.0 * i, 200.0 + float(rng.normal())) for i in range(240)]
    steep, error = slope(looks)
    assert abs(steep) < 3 * error
    assert error == pytest.approx(1.0 / (np.std(np.arange(240)) * 5 / 3600 * np.sqrt(240)), rel=0.2)
