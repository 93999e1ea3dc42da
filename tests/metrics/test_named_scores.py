"""Scores by name: what is kept of how many, whoever came first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.metrics.named_scores import MOST_NAMES, NamedScores
from streamgauge.state.packing import pack


def of(rows: list[tuple[str, float]]) -> NamedScores:
    made = NamedScores()
    for name, value in rows:
        made.update(name, np.array([value]))
    return made


def test_what_is_known_of_a_score() -> None:
    # Given two scores, one of them a thousand times, far from zero
    made = NamedScores()
    values = 1e9 + np.random.default_rng(3).normal(0, 1, 1_000)
    made.update("pinball", values)
    made.update("wer", np.array([0.1, 0.4]), np.array([3.0, 1.0]))
    # Then each has its own figures
    found = made.score("pinball")
    assert found is not None and (found.n, found.events) == (1_000.0, 1_000)
    assert (found.min, found.max) == (values.min(), values.max())
    assert found.mean == pytest.approx(float(values.mean()), rel=1e-12)
    assert found.std == pytest.approx(float(values.std()), rel=1e-6)
    weighted = made.score("wer")
    assert weighted is not None and weighted.n == 4.0 and weighted.events == 2
    assert weighted.mean == pytest.approx(0.175)
    assert weighted.std == pytest.approx(math.sqrt(0.75 * 0.25 * 0.3**2))
    assert made.kept() == ["pinball", "wer"] and made.score("ndcg") is None


def drawn(seed: int) -> list[tuple[str, float]]:
    """Up to 150 rows of as many names, in no order."""
    random = np.random.default_rng(seed)
    names = random.integers(0, 3 * MOST_NAMES, random.integers(0, 150)).tolist()
    return [(f"score{name:03}", float(random.integers(-9, 9))) for name in names]


rows = st.integers(0, 10**6).map(drawn)


@settings(max_examples=40)
@given(first=rows, second=rows)
def test_too_many_names_are_the_same_in_any_order(first: Any, second: Any) -> None:
    # Given the same rows in two orders, and from two shards
    whole, turned = of(first + second), of((first + second)[::-1])
    merged = of(second)
    merged.merge(of(first))
    # Then the same names are kept, with all their rows, and the others are counted
    for other in (turned, merged):
        assert other.kept() == whole.kept() and other.others == whole.others
        assert other.get() == pytest.approx(whole.get(), rel=1e-9, abs=1e-9)
    known = sorted({name for name, _ in first + second})[:MOST_NAMES]
    assert whole.kept() == known
    for name in known:
        values = [value for each, value in first + second if each == name]
        score = whole.score(name)
        assert score is not None and score.events == len(values)
        assert score.mean == pytest.approx(float(np.mean(values)), abs=1e-12)
    assert sum(each.events for name in known if (each := whole.score(name))) + whole.others == len(
        first + second
    )


def test_a_value_without_weight_leaves_no_trace() -> None:
    made = NamedScores()
    made.update("wer", np.array([0.3]), np.array([0.0]))
    made.update("ndcg", np.array([]))
    assert made.kept() == [] and pack(made.state()) == pack(NamedScores().state())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_what_is_not_finite(value: float) -> None:
    made = of([("wer", 0.5)])
    with pytest.raises(ValueError, match="values holds NaN"):
        made.update("wer", np.array([0.1, value]))
    assert made.get() == {"wer": 0.5}


def test_the_largest_values_do_no_harm() -> None:
    made = of([("a", 1.7e308), ("a", -1.7e308), ("a", 5e-324)])
    found = made.score("a")
    assert found is not None and all(math.isfinite(value) for value in found)
