"""A change of unit is named, and no other change is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamgauge.monitor.unit_jump import Spread, unit_jump


def spread(values: object) -> Spread:
    array = np.asarray(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std()))


JUMPS = [
    (1.60934, "kilometres instead of miles"),
    (1 / 1.60934, "miles instead of kilometres"),
    (2.54, "centimetres instead of inches"),
    (0.3048, "metres instead of feet"),
    (1 / 0.3048, "feet instead of metres"),
    (0.45359, "kilograms instead of pounds"),
    (1 / 0.45359, "pounds instead of kilograms"),
    (10, "tenths instead of units"),
    (0.01, "a ratio instead of percent"),
    (100, "percent instead of a ratio (or cents instead of units)"),
    (1000, "thousandths instead of units (milliseconds, grams)"),
    (1 / 1000, "units instead of thousandths"),
    (60, "seconds instead of minutes"),
    (3600, "seconds instead of hours"),
    (1e6, "millionths"),
    (1e-9, "units instead of billionths"),
    (-1, "the opposite sign"),
]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("factor", "words"), JUMPS)
def test_a_factor_with_a_name_is_named(factor: float, words: str, seed: int) -> None:
    # Given a reference and a window of the same feature, 500 events each
    rng = np.random.default_rng(seed)
    before, now = rng.gamma(5.0, 2.0, size=(2, 3_000)) + 5
    # When the window comes in another unit
    assert words in (unit_jump(spread(before), spread(now * factor)) or "")


def test_1024_is_told_from_1000_where_the_mean_is_sharp() -> None:
    rng = np.random.default_rng(1)
    before, now = rng.normal(50.0, 0.5, size=(2, 5_000))
    assert "bytes instead of KiB" in (unit_jump(spread(before), spread(now * 1024)) or "")
    assert "thousandths" in (unit_jump(spread(before), spread(now * 1000)) or "")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("mean", "std", "factor", "offset", "words"),
    [
        (20.0, 6.0, 1.8, 32.0, "Fahrenheit instead of Celsius"),
        (37.0, 0.5, 1.8, 32.0, "Fahrenheit instead of Celsius"),
        (68.0, 10.0, 1 / 1.8, -32 / 1.8, "Celsius instead of Fahrenheit"),
        (20.0, 6.0, 1.0, 273.15, "Kelvin instead of Celsius"),
        (293.0, 6.0, 1.0, -273.15, "Celsius instead of Kelvin"),
    ],
)
def test_temperatures(
    mean: float, std: float, factor: float, offset: float, words: str, seed: int
) -> None:
    before, now = np.random.default_rng(seed).normal(mean, std, size=(2, 3_000))
    assert unit_jump(spread(before), spread(factor * now + offset)) == f"looks like {words}"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("factor", "offset"),
    [(1, 0), (1, 2), (1, -10), (1, 30), (1.3, 0), (2, 0), (5, 0), (30, 0), (3, 40), (0.2, 3)],
)
def test_other_changes_are_not_named(factor: float, offset: float, seed: int) -> None:
    before, now = np.random.default_rng(seed).normal(50.0, 8.0, size=(2, 500))
    assert unit_jump(spread(before), spread(factor * now + offset)) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_small_window_of_heavy_tails_is_no_jump(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, now = rng.lognormal(3.0, 1.0, size=20_000), rng.lognormal(3.0, 1.0, size=100)
    assert unit_jump(spread(before), spread(now)) is None


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (Spread(3.0, 0.0), Spread(300.0, 0.0), "percent"),
        (Spread(3.0, 0.0), Spread(301.0, 0.0), None),
        (Spread(0.0, 0.0), Spread(0.0, 0.0), None),
        (Spread(3.0, 1.0), Spread(300.0, 0.0), None),
        (Spread(3.0, 0.0), Spread(300.0, 1.0), None),
        (Spread(math.nan, 1.0), Spread(1.0, 1.0), None),
        (Spread(1.0, 1.0), Spread(math.inf, 1.0), None),
        (Spread(1e300, 1e300), Spread(1e308, 1e308), None),
    ],
)
def test_edges(before: Spread, now: Spread, words: str | None) -> None:
    found = unit_jump(before, now)
    assert found is None if words is None else words in (found or "")
