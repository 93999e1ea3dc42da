"""A model's error, spent over its comparisons."""

from __future__ import annotations

import math

import pytest

from streamgauge.learning.spending import spent


def test_all_comparisons_together_spend_alpha_and_no_more() -> None:
    whole = sum(spent(0.05, k) for k in range(1, 100_000))
    assert whole < 0.05
    assert whole == pytest.approx(0.05, rel=1e-4)


def test_the_first_one_by_hand() -> None:
    assert spent(0.05, 1) == 0.05 * 6 / math.pi**2
    assert spent(0.05, 3) == pytest.approx(spent(0.05, 1) / 9)


@pytest.mark.parametrize(("alpha", "k"), [(0.0, 1), (1.0, 1), (math.nan, 1), (0.05, 0)])
def test_what_makes_no_sense_is_refused(alpha: float, k: int) -> None:
    with pytest.raises(ValueError, match="alpha is a probability|counted from 1"):
        spent(alpha, k)
