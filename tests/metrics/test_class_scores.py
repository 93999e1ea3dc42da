"""Class scores against scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as oracle

from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores

Floats = NDArray[np.float64]


def of(*columns: Any) -> ClassScores:
    made = ClassScores()
    made.update(*columns)
    return made


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), classes=st.integers(3, 6), n=st.integers(1, 40))
def test_equal_to_scikit_learn(seed: int, classes: int, n: int) -> None:
    random = np.random.default_rng(seed)
    # Some classes are ruled out, some rows are sure.
    raw = random.random((n, classes)) ** 6 * (random.random((n, classes)) > 0.3) + 1e-300
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    truth, weight = random.integers(0, classes, n), random.integers(1, 9, n) * 1.0
    found = of(probabilities, truth, weight).get()
    told: dict[str, Any] = {"sample_weight": weight, "labels": range(classes)}
    assert found["log_loss"] == near(oracle.log_loss(truth, probabilities, **told))
    assert found["brier"] == near(oracle.brier_score_loss(truth, probabilities, **told))
    assert found["n"] == weight.sum()


def test_two_classes_are_twice_the_binary_figure() -> None:
    random = np.random.default_rng(3)
    probability, truth = random.random(50), random.random(50) < 0.4
    both, one = of(np.column_stack([1 - probability, probability]), truth * 1), BinaryScores()
    one.update(probability, truth)
    assert both.get()["log_loss"] == near(one.get()["log_loss"])
    assert both.get()["brier"] == near(2 * one.get()["brier"])


def test_a_class_that_the_model_did_not_name_had_probability_zero() -> None:
    found = of(np.array([[0.6, 0.4]]), np.array([5])).get()
    assert found["log_loss"] == near(-math.log(np.finfo(np.float64).eps))
    assert found["brier"] == near(0.36 + 0.16 + 1)
    # The same of a model that sent no classes at all.
    assert of(np.zeros((1, 0)), np.array([0])).get()["brier"] == 1.0


def test_the_layout_of_the_columns_does_not_show() -> None:
    random = np.random.default_rng(6)
    probabilities, truth = random.random((40, 9)), random.integers(0, 9, 40)
    other = np.asfortranarray(probabilities)
    assert of(probabilities, truth).state() == of(other, truth).state()


def test_a_sure_hit_costs_nothing() -> None:
    found = of(np.array([[0.0, 1.0]]), np.array([1])).get()
    assert found["brier"] == 0.0 and found["log_loss"] == pytest.approx(0.0, abs=1e-15)


def test_nothing_has_no_figures() -> None:
    assert ClassScores().get() == {} and ClassScores().effective_n == 0.0
    assert of(np.ones((1, 1)), np.array([0]), np.zeros(1)).get() == {}


@pytest.mark.parametrize(
    ("probabilities", "truth", "told"),
    [
        ([[0.5, 1.1]], [0], "probabilities must be within"),
        ([[math.nan, 0.1]], [0], "probabilities must be within"),
        ([[0.5, 0.5]], [-1], "below 0"),
        ([[0.5, 0.5]], [0, 1], "different lengths"),
        ([0.5, 0.5], [0, 1], "rows, classes"),
    ],
)
def test_refuses(probabilities: Any, truth: Any, told: str) -> None:
    made = ClassScores()
    with pytest.raises(ValueError, match=told):
        made.update(np.array(probabilities), np.array(truth))
    assert made.get() == {}
