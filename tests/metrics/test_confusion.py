"""Confusion against scikit-learn on the same rows, weights and lone classes included."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn import metrics as oracle

from streamgauge.metrics.confusion import MOST_CLASSES, Confusion
from streamgauge.state.packing import pack

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
Rows = tuple[Codes, Codes, Floats]


@st.composite
def rows(draw: st.DrawFn, *, classes: int = 5, least: int = 1) -> Rows:
    n = draw(st.integers(least, 40))
    code = st.integers(0, draw(st.integers(0, classes - 1)))
    predicted, truth = (draw(arrays(np.intp, n, elements=code)) for _ in range(2))
    return predicted, truth, draw(arrays(np.float64, n, elements=st.integers(1, 9).map(float)))


def of(*columns: Any) -> Confusion:
    made = Confusion()
    made.update(*columns)
    return made


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=40)
@given(rows())
def test_equal_to_scikit_learn(drawn: Rows) -> None:
    predicted, truth, weight = drawn
    found = of(*drawn).get()
    with warnings.catch_warnings():
        # It warns of classes that were predicted and never true.
        warnings.simplefilter("ignore")
        assert found["accuracy"] == near(
            oracle.accuracy_score(truth, predicted, sample_weight=weight)
        )
        assert found["balanced_accuracy"] == near(
            oracle.balanced_accuracy_score(truth, predicted, sample_weight=weight)
        )
        assert found["mcc"] == near(
            oracle.matthews_corrcoef(truth, predicted, sample_weight=weight)
        )
        if "kappa" in found:
            assert found["kappa"] == near(
                oracle.cohen_kappa_score(truth, predicted, sample_weight=weight)
            )
        macro = oracle.precision_recall_fscore_support(
            truth, predicted, average="macro", sample_weight=weight, zero_division=0
        )
    assert (found["precision"], found["recall"], found["f1"]) == near(macro[:3])
    assert found["error_ratio"] == near(1 - found["accuracy"])
    assert found["n"] == weight.sum()


@settings(max_examples=40)
@given(rows(), st.integers(0, 5))
def test_each_class_is_as_in_scikit_learn(drawn: Rows, positive: int) -> None:
    predicted, truth, weight = drawn
    made = of(*drawn)
    found = made.per_class()
    expected = zip(
        *oracle.precision_recall_fscore_support(
            truth, predicted, labels=range(6), sample_weight=weight, zero_division=0
        ),
        strict=True,
    )
    for code, (precision, recall, f1, support) in enumerate(expected):
        if code in found:
            assert found[code][:3] == near((precision, recall, f1))
            assert found[code].support == support
        if code == positive:
            figures = made.get(positive=positive)
            names = ("precision", "recall", "f1")
            assert [figures[name] for name in names] == near([precision, recall, f1])
    assert sorted(found) == sorted({*predicted.tolist(), *truth.tolist()})


@given(rows())
def test_whole_weights_are_counted_exactly(drawn: Rows) -> None:
    predicted, truth, weight = drawn
    made = of(*drawn)
    expected: dict[tuple[int, int], float] = {}
    for one, other, each in zip(*(column.tolist() for column in drawn), strict=True):
        expected[one, other] = expected.get((one, other), 0.0) + each
    assert made.pairs() == expected
    assert all(made.count(*pair) == count for pair, count in expected.items())
    assert made.effective_n == near(weight.sum() ** 2 / (weight**2).sum())
    # An event of weight three is three events.
    times = weight.astype(np.intp)
    assert of(np.repeat(predicted, times), np.repeat(truth, times)).pairs() == expected


def test_ten_errors_in_a_billion_keep_their_digits() -> None:
    # Given a weight that stands for very many events
    made = of(np.array([0, 1]), np.array([0, 0]), np.array([1e9 - 10, 10.0]))
    # Then the error ratio is exact, which one minus the accuracy would not be
    assert made.get()["error_ratio"] == 1e-8


def test_false_positives_are_a_share_of_the_negatives() -> None:
    made = of(np.array([1, 1, 1, 0, 0]), np.array([1, 0, 0, 0, 0]))
    assert made.per_class()[1].false_positive_ratio == 0.5
    assert made.per_class()[0].false_positive_ratio == 0.0


def test_a_single_class() -> None:
    figures = of(np.array([3, 3]), np.array([3, 3])).get()
    assert figures["accuracy"] == figures["f1"] == figures["balanced_accuracy"] == 1.0
    # Chance agrees always here: kappa says nothing, and scikit-learn's correlation is 0.
    assert "kappa" not in figures and figures["mcc"] == 0.0
    # Also where the weights are sums that no float holds.
    odd = of(*np.full((2, 30), 3), np.full(30, 0.1)).get()
    assert "kappa" not in odd and odd["mcc"] == 0.0


def test_one_class_is_always_predicted() -> None:
    figures = of(np.zeros(30, dtype=np.intp), np.arange(30) % 3, np.full(30, 0.1)).get()
    assert figures["mcc"] == 0.0 and figures["kappa"] == near(0.0)


def test_nothing_has_no_figures() -> None:
    none = np.array([], dtype=np.intp)
    assert of(none, none).get() == {}
    assert of(none, none).per_class() == {}
    zero = of(np.array([1]), np.array([0]), np.array([0.0]))
    assert zero.get() == {} and zero.effective_n == 0.0


def test_an_absent_positive_class_is_zero_and_not_missing() -> None:
    figures = of(np.array([0]), np.array([0])).get(positive=7)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.0, 0.0, 0.0)


def test_the_state_is_small_and_knows_no_size() -> None:
    # Given a matrix that once grew for a class of weight zero
    made = of(np.array([0, MOST_CLASSES - 1]), np.array([1, 0]), np.array([2.5, 0.0]))
    # Then its state is that of the cells that hold something
    assert pack(made.state()) == pack(of(np.array([0]), np.array([1]), np.array([2.5])).state())
    every = np.arange(100).repeat(100), np.tile(np.arange(100), 100)
    assert len(pack(of(*every).state())) < 31_000


@pytest.mark.parametrize(
    ("predicted", "truth", "weights", "told"),
    [
        ([100], [0], None, "0..99"),
        ([0], [-1], None, "code -1"),
        ([0, 1], [0], None, "different lengths"),
        ([0, 1], [0, 1], [1.0], "one per row"),
        ([0], [0], [-1.0], "negative"),
        ([0], [0], [math.nan], "not finite"),
        ([0], [0], [math.inf], "not finite"),
    ],
)
def test_refuses(predicted: Any, truth: Any, weights: Any, told: str) -> None:
    made = Confusion()
    columns = np.array(predicted, dtype=np.intp), np.array(truth, dtype=np.intp)
    with pytest.raises(ValueError, match=told):
        made.update(*columns, None if weights is None else np.array(weights))
    assert made.get() == {}
