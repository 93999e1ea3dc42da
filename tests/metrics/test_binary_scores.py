"""Binary scores against scikit-learn: exact of few values, within their bound of many."""

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
from sklearn import metrics as oracle

from streamgauge.metrics.binary_scores import MOST_BINS, MOST_EXACT, BinaryScores
from streamgauge.state.packing import pack

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Rows = tuple[Floats, Truth, Floats]

probabilities = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 0.3, 5e-324, 1e-30, 1 - 2**-53])
)


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    n = draw(st.integers(1, 60))
    weights = arrays(np.float64, n, elements=st.integers(1, 9).map(float))
    probability = draw(arrays(np.float64, n, elements=probabilities))
    return probability, draw(arrays(np.bool_, n)), draw(weights)


def of(*columns: Any) -> BinaryScores:
    made = BinaryScores()
    made.update(*columns)
    return made


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


def logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values)))


def many(name: str, n: int, seed: int = 11) -> Rows:
    """More distinct values than are kept, with labels that fit them, and odd weights."""
    random = np.random.default_rng(seed)
    shapes: dict[str, Callable[[], Floats]] = {
        "even": lambda: random.random(n),
        "rare": lambda: logistic(random.normal(-5, 1.5, n)),
        "sure": lambda: logistic(random.normal(0, 4, n)),
        "skewed": lambda: random.beta(2, 5, n),
        "near a half": lambda: random.normal(0.5, 0.01, n).clip(0, 1),
        "every size": lambda: 10 ** random.uniform(-300, 0, n),
    }
    probability = shapes[name]()
    truth = random.random(n) < probability
    truth[:2] = True, False
    return probability, truth, random.uniform(0.1, 3, n)


SHAPES = ("even", "rare", "sure", "skewed", "near a half", "every size")


def judged(found: dict[str, float], drawn: Rows) -> None:
    probability, truth, weight = drawn
    auc = oracle.roc_auc_score(truth, probability, sample_weight=weight)
    precision = oracle.average_precision_score(truth, probability, sample_weight=weight)
    assert abs(found["roc_auc"] - auc) <= found["roc_auc_error"] + 1e-9
    assert abs(found["average_precision"] - precision) <= found["average_precision_error"] + 1e-9


@settings(max_examples=60)
@given(rows())
def test_few_rows_are_as_in_scikit_learn(drawn: Rows) -> None:
    probability, truth, weight = drawn
    found = of(*drawn).get()
    assert found["log_loss"] == near(
        oracle.log_loss(truth, probability, sample_weight=weight, labels=[False, True])
    )
    assert found["brier"] == near(np.average((probability - truth) ** 2, weights=weight))
    assert found["n"] == weight.sum()
    assert ("roc_auc" in found) == (0 < truth.sum() < len(truth))
    if "roc_auc" in found:
        assert found["roc_auc_error"] == found["average_precision_error"] == 0.0
        judged(found, drawn)


@pytest.mark.parametrize("shape", SHAPES)
def test_many_rows_are_within_the_bound(shape: str) -> None:
    drawn = many(shape, 6_000)
    found = of(*drawn)
    judged(found.get(), drawn)
    # And the bound is worth something, as is the state.
    assert 0 < found.get()["roc_auc_error"] <= 0.001
    assert len(pack(of(*drawn[:2]).state())) < 12_600


@pytest.mark.parametrize("shape", SHAPES)
def test_the_worst_order_within_bins_is_within_the_bound(shape: str) -> None:
    # Given truth that falls with the probability inside a bin, and rises over all
    probability = np.sort(many(shape, 4_000)[0])
    found, pushed = BinaryScores(), np.arange(4_000) % 4 < 2
    # When enough of other values make the bins wide
    rest = np.random.default_rng(3).random(4_000)
    found.update(probability, pushed)
    found.update(rest, rest > 0.5)
    drawn = np.append(probability, rest), np.append(pushed, rest > 0.5), np.ones(8_000)
    judged(found.get(), drawn)


@settings(max_examples=15)
@given(
    shape=st.sampled_from(SHAPES),
    cuts=st.lists(st.integers(0, 3_000), max_size=5),
    seed=st.integers(0, 99),
)
def test_neither_cuts_nor_shards_show_while_bins_widen(
    shape: str, cuts: list[int], seed: int
) -> None:
    columns = many(shape, 3_000, seed)
    whole, cut, merged = of(*columns), BinaryScores(), BinaryScores()
    parts = []
    for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 3_000], strict=True):
        part: list[Any] = [column[a:b] for column in columns]
        cut.update(*part)
        parts.append(of(*part))
    assert pack(cut.state()) == pack(whole.state())
    for each in reversed(parts):
        merged.merge(each)
    assert merged.get() == near(whole.get())
    # The bins themselves are the same, and with whole weights every byte.
    assert pack(merged.state()[:3]) == pack(whole.state()[:3])


def test_bins_begin_with_one_value_too_many() -> None:
    values = np.linspace(0, 1, MOST_EXACT)
    made = of(values, values > 0.4)
    assert made.get()["roc_auc_error"] == 0.0
    made.update(values, values > 0.6)
    assert made.get()["roc_auc_error"] == 0.0
    made.update(np.array([0.12345]), np.array([True]))
    assert 0.0 < made.get()["roc_auc_error"] < 0.001


def test_no_more_bins_than_there_may_be() -> None:
    made = BinaryScores()
    for seed, shape in enumerate(SHAPES):
        made.update(*many(shape, 3_000, seed))
        assert len(made.state()[2]) <= MOST_BINS


def test_a_sure_mistake_costs_what_it_costs_in_scikit_learn() -> None:
    sure = np.array([1.0, 0.0]), np.array([False, True])
    assert of(*sure).get()["log_loss"] == near(-math.log(np.finfo(np.float64).eps))
    assert of(sure[0], ~sure[1]).get()["log_loss"] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("truth", [True, False])
def test_one_class_alone_has_no_area(truth: bool) -> None:
    found = of(np.array([0.2, 0.9]), np.array([truth, truth])).get()
    assert sorted(found) == ["brier", "log_loss", "n"]


def test_both_zeros_are_one() -> None:
    # Given that a negative zero is below nothing
    odd = of(np.array([-0.0, 0.5]), np.array([False, True]))
    assert pack(odd.state()) == pack(of(np.array([0.0, 0.5]), np.array([False, True])).state())


def test_nothing_has_no_figures() -> None:
    assert BinaryScores().get() == {}
    weightless = of(np.array([0.3]), np.array([True]), np.array([0.0]))
    assert pack(weightless.state()) == pack(BinaryScores().state())
    assert weightless.effective_n == 0.0


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, math.nan, math.inf])
def test_refuses_what_is_no_probability(value: float) -> None:
    made = BinaryScores()
    with pytest.raises(ValueError, match="probability must be within"):
        made.update(np.array([0.5, value]), np.array([True, False]))
    assert made.get() == {}
