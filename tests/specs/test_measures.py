"""The names of figures: what the monitor measures has one, and what users compute gets one."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.labels.truth import Extras
from streamgauge.monitor.truth.performance import Performance
from streamgauge.specs.claims import parse_claim
from streamgauge.specs.measures import MEASURES, measure

#: How far off a figure may be because of its bins, and what stands for failed predictions.
UNCLAIMED = {"roc_auc_error", "pr_auc_error", "error_ratio"}


def computed() -> set[str]:
    from streamgauge.labels.block import LABELLED, Rows
    from streamgauge.labels.names import Names
    from streamgauge.monitor.truth.scored import Scorer
    from streamgauge.monitor.truth.task import PositiveClass, Task

    rows = Rows.empty(40)
    rows.state[:] = LABELLED
    rows.weight[:] = rows.label_weight[:] = 1.0
    rows.predicted[:] = rows.truth[:] = -1
    rows.number[:] = np.linspace(0.05, 0.95, 40)
    rows.truth_number[:] = np.arange(40) % 3 == 0
    names: set[str] = set()
    tasks: tuple[Task, ...] = ("binary", "regression")
    for task in tasks:
        scorer = Scorer(PositiveClass(None), 0.5)
        scored = scorer.score(task, rows, Names(most=9), Names(most=9), None)
        whole = Performance()
        whole.take(task, scored)
        whole.take_extras([(Extras(value=3.0), 1.0)])
        names |= whole.get(task).keys()
    return names


def test_every_figure_of_performance_may_be_claimed() -> None:
    names = computed()
    assert {"accuracy", "pr_auc", "ece", "kappa", "rmse", "bias", "value"} <= names
    for name in names - UNCLAIMED:
        found = measure(name)
        assert found is not None and found.needs == "labels", name


def test_what_is_claimed_of_labels_is_computed_or_a_score_of_users() -> None:
    of_labels = {name for name, each in MEASURES.items() if each.needs == "labels"}
    assert of_labels - computed() == {"ndcg", "wer", "pinball", "mse", "mape"}


@pytest.mark.parametrize(
    ("expr", "figure", "better"),
    [
        ("auc >= 0.8", "roc_auc", "higher"),
        ("pinball@24h <= 3", "pinball@24h", "lower"),
        ("mae@P1D <= 3", "mae@P1D", "lower"),
        ("score:happiness >= 0.8", "happiness", ""),
        ("score:happiness@7d >= 80 %", "happiness@7d", ""),
    ],
)
def test_scores_of_users_may_be_claimed_by_name_and_horizon(
    expr: str, figure: str, better: str
) -> None:
    claim = parse_claim(expr)
    found = measure(claim.name)
    assert claim.figure == figure
    assert found is not None and (found.needs, found.better) == ("labels", better)


def test_a_word_that_nobody_knows_is_no_figure() -> None:
    assert measure("happiness") is None
    assert measure("score:") is None
