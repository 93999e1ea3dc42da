"""Hints speak of what is odd, and keep silent on what is ordinary."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.metrics.duplicates import Duplicates, RecentIds
from streamgauge.metrics.sentinels import Sentinels
from streamgauge.metrics.skew import Skew
from streamgauge.monitor import lint


@pytest.mark.parametrize(
    ("n", "share", "speaks"),
    [
        (500, 0.4, True),
        (30, 0.0, True),
        (10, 0.5, False),
        # Ninety-nine of a hundred were zero: a hundred zeros are nothing new.
        (100, 0.99, False),
        (500, 1.0, False),
        (0, 0.0, False),
    ],
)
def test_a_constant_is_odd_where_it_varied(n: int, share: float, speaks: bool) -> None:
    assert (lint.constant(4.0, n=n, share_before=share) is not None) == speaks


def test_it_names_the_constant() -> None:
    assert lint.constant(0.25, n=1500, share_before=0.02) == (
        "is 0.25 in all 1,500 events; it was in 2 % before"
    )


def test_codes_among_ordinary_values() -> None:
    # Given temperatures, in a window of which a sensor was off now and then
    rng = np.random.default_rng(0)
    values = rng.normal(15.0, 8.0, size=1_000)
    values[:20] = -9999.0
    values[20:25] = 999.0
    sentinels = Sentinels()
    sentinels.update(values)
    found, n = sentinels.found(), sentinels.n
    assert lint.sentinels(found, n=n, ordinary=(-10.0, 40.0)) == (
        "is -9999 in 2 % of events: a code for a missing value?"
    )
    # Where that is usual it is not said again, and a price of 999 is a price
    assert lint.sentinels(found, n=n, ordinary=(-10.0, 40.0), usual=0.02) is None
    assert lint.sentinels({999.0: 500}, n=1000, ordinary=(1.0, 5000.0)) is None
    assert lint.sentinels({-999.0: 2}, n=100) is None
    assert lint.sentinels({3.4028234663852886e38: 50}, n=100) is not None


def test_ids_that_come_twice() -> None:
    recent, counts = RecentIds(), Duplicates()
    for start in range(0, 4_000, 1_000):
        ids = [f"p{i}" for i in range(start, start + 1_000)]
        counts.update(recent.look(ids + ids[:250]).repeated)
    hint = lint.duplicates(repeated=counts.repeated, sampled=counts.sampled)
    assert hint is not None
    assert "prediction ids came before" in hint
    assert lint.duplicates(repeated=12, sampled=60, usual=0.2) is None
    assert lint.duplicates(repeated=2, sampled=60) is None
    assert lint.duplicates(repeated=0, sampled=60) is None


@pytest.mark.parametrize(
    ("distinct", "n", "speaks"),
    [(500, 500, True), (480, 500, True), (400, 500, False), (9, 9, False)],
)
def test_texts_that_are_ids(distinct: int, n: int, speaks: bool) -> None:
    assert (lint.nearly_unique(distinct=distinct, n=n) is not None) == speaks


def test_numbers_that_are_ids() -> None:
    rng = np.random.default_rng(0)
    serial = np.arange(500.0) + 10_000
    mixed = serial.copy()
    mixed[10:490:20], mixed[11:491:20] = serial[11:491:20], serial[10:490:20]
    assert lint.counter(serial) is not None
    assert lint.counter(mixed) is not None
    assert lint.counter(serial + 0.5) is None
    assert lint.counter(rng.permutation(serial)) is None
    assert lint.counter(rng.integers(0, 100, 500).astype(np.float64)) is None
    assert lint.counter(serial[:50]) is None
    assert lint.counter(np.full(500, np.inf)) is None


def test_numbers_that_are_categories() -> None:
    rng = np.random.default_rng(0)
    assert lint.enumeration(rng.integers(1, 6, 500).astype(np.float64)) is not None
    assert lint.enumeration(rng.integers(0, 2, 500).astype(np.float64)) is None
    assert lint.enumeration(rng.integers(0, 90, 500).astype(np.float64)) is None
    assert lint.enumeration(rng.choice([0.5, 1.0, 1.5], 500)) is None
    assert lint.enumeration(np.array([1.0, 2.0, 3.0])) is None


@pytest.mark.parametrize(
    ("lag", "words"),
    [
        (7200.4, "100 % of events are 2 h late to the minute"),
        (-20.0, "100 % of events state a time that is more than 5 s ahead"),
        (0.2, None),
        (5400.0, None),
    ],
)
def test_clocks(lag: float, words: str | None) -> None:
    times = 1_790_000_000.0 + np.arange(200.0)
    metric = Skew()
    metric.update(times + lag, times)
    figures = metric.get()
    hint = lint.skew(
        n=metric.n,
        ahead_ratio=figures["ahead_ratio"],
        hour_ratio=figures["hour_ratio"],
        hour=metric.hour,
    )
    assert hint is None if words is None else hint is not None and hint.startswith(words)
    assert lint.skew(n=50, ahead_ratio=1.0, hour_ratio=0.0, hour=0) is None
