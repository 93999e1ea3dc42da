"""A correction takes rows back: what is left is as if they had never come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from streamgauge.metrics.base import Metric
from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores
from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.named_scores import NamedScores
from streamgauge.metrics.regression import Regression
from streamgauge.metrics.reliability import Reliability

RNG = np.random.default_rng(5)
N = 2000
SCORE = RNG.uniform(size=N)
TRUTH = RNG.uniform(size=N) < SCORE
CLASSES = RNG.integers(0, 4, size=(2, N))
PROBABILITIES = RNG.dirichlet(np.ones(4), size=N)
VALUES = 1e6 + RNG.normal(size=(2, N))
WEIGHT = RNG.choice([0.5, 1.0, 3.0], size=N)

FEEDS: dict[type[Metric], Callable[[Any, slice], None]] = {
    Confusion: lambda m, s: m.update(CLASSES[0][s], CLASSES[1][s], WEIGHT[s]),
    BinaryScores: lambda m, s: m.update(SCORE[s], TRUTH[s], WEIGHT[s]),
    ClassScores: lambda m, s: m.update(PROBABILITIES[s], CLASSES[1][s], WEIGHT[s]),
    Regression: lambda m, s: m.update(VALUES[0][s], VALUES[1][s], WEIGHT[s]),
    Reliability: lambda m, s: m.update(SCORE[s], TRUTH[s], WEIGHT[s]),
    NamedScores: lambda m, s: m.update("ndcg", SCORE[s], WEIGHT[s]),
}


@pytest.mark.parametrize("kind", FEEDS, ids=lambda kind: kind.name)
def test_what_is_left_is_as_if_the_rows_had_never_come(kind: type[Metric]) -> None:
    metric, wanted, corrected = kind(), kind(), kind()
    FEEDS[kind](metric, slice(0, N))
    FEEDS[kind](corrected, slice(300, 900))

    metric.take_out(corrected)

    FEEDS[kind](wanted, slice(0, 300))
    FEEDS[kind](wanted, slice(900, N))
    bounds = {"roc_auc", "average_precision", "roc_auc_error", "average_precision_error"}
    figures, expected = metric.get(), wanted.get()
    assert figures.keys() == expected.keys()
    for name in figures.keys() - bounds:
        assert figures[name] == pytest.approx(expected[name], rel=1e-9), name
    for name in figures.keys() & {"roc_auc", "average_precision"}:
        slack = figures[f"{name}_error"] + expected[f"{name}_error"]
        assert abs(figures[name] - expected[name]) <= slack
