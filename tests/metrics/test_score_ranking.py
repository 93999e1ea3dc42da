"""The bounds of rankings against every order that a bin can hide."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn import metrics as oracle

from streamgauge.metrics.score_ranking import precision_figures, roc_figures

#: Positives and negatives of each bin, by rising score.
BINS = [
    ([2, 1], [2, 2]),
    ([0, 3], [3, 1]),
    ([1, 2, 1], [2, 1, 2]),
    ([3, 0, 1], [1, 1, 1]),
    ([1, 4], [0, 2]),
    ([2], [3]),
    # Here the worst order is farther away than the best.
    ([10], [1]),
]


@pytest.mark.parametrize(("positive", "negative"), BINS)
def test_no_order_within_bins_is_beyond_the_bounds(
    positive: list[int], negative: list[int]
) -> None:
    # Given counts of bins, and what is said of them when all of a bin are ties
    sides = np.array(positive, dtype=np.float64), np.array(negative, dtype=np.float64)
    roc, precision = roc_figures(*sides, exact=False), precision_figures(*sides, exact=False)
    # When the rows of each bin stand in any order of strictly rising scores
    orders = [
        {order for order in product([False, True], repeat=p + n) if sum(order) == p}
        for p, n in zip(positive, negative, strict=True)
    ]
    areas, precisions = [], []
    for chosen in product(*orders):
        truth = [flag for part in chosen for flag in part]
        areas.append(oracle.roc_auc_score(truth, np.arange(len(truth))))
        precisions.append(oracle.average_precision_score(truth, np.arange(len(truth))))
    # Then the area of the worst is as far away as the bound says, and none is farther
    gaps = np.abs(np.array(areas) - roc["roc_auc"])
    assert gaps.max() == pytest.approx(roc["roc_auc_error"], abs=1e-9)
    gaps = np.abs(np.array(precisions) - precision["average_precision"])
    assert gaps.max() <= precision["average_precision_error"]


def test_whole_scores_leave_no_doubt() -> None:
    sides = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert roc_figures(*sides, exact=True) == {"roc_auc": 1.0, "roc_auc_error": 0.0}
    found = precision_figures(*sides, exact=True)
    assert found == {"average_precision": 1.0, "average_precision_error": 0.0}
