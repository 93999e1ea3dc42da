"""A row of fractional weight that is taken out again leaves no class, bin or mean behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores
from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.regression import Regression
from streamgauge.metrics.reliability import Reliability

WEIGHTS = [0.1, 0.7, 0.2]
ROWS: dict[type[Any], tuple[Any, Any]] = {
    Confusion: (np.array([1]), np.array([2])),
    BinaryScores: (np.array([0.3]), np.array([True])),
    ClassScores: (np.array([[0.3, 0.7]]), np.array([1])),
    Reliability: (np.array([0.3]), np.array([True])),
    Regression: (np.array([3.0]), np.array([4.0])),
}


@pytest.mark.parametrize("kind", list(ROWS), ids=lambda kind: kind.__name__)
def test_all_rows_out_is_as_if_none_had_come(kind: type[Any]) -> None:
    metric = kind()
    one, other = ROWS[kind]
    for weight in WEIGHTS:
        metric.update(one, other, np.array([weight]))
    for weight in WEIGHTS:
        alone = kind()
        alone.update(one, other, np.array([weight]))
        metric.take_out(alone)
    assert metric.n == 0.0
    assert metric.get() == {}


def test_a_class_whose_rows_are_all_out_is_no_class() -> None:
    confusion, scores = Confusion(), BinaryScores()
    metric: Any
    for metric, first, second in (
        (confusion, (np.array([0]), np.array([0])), (np.array([2]), np.array([2]))),
        (scores, (np.array([0.2]), np.array([False])), (np.array([0.2]), np.array([True]))),
    ):
        metric.update(*first, np.array([1.0]))
        for weight in WEIGHTS:
            metric.update(*second, np.array([weight]))
        for weight in WEIGHTS:
            alone = type(metric)()
            alone.update(*second, np.array([weight]))
            metric.take_out(alone)
    assert confusion.get()["balanced_accuracy"] == 1.0
    assert list(confusion.per_class()) == [0]
    assert "roc_auc" not in scores.get()
