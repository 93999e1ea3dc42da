"""Performance as figures with intervals, which criteria and views share."""

from __future__ import annotations

import math

from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.regression import Regression
from streamgauge.monitor.figures import Figure, Level, Mean, Ratio
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.truth.scored import POSITIVE
from streamgauge.monitor.truth.task import Task


def performance_figures(of: Performance, task: Task | None) -> dict[str, Figure]:
    """Every figure by its name. Shares carry Wilson's interval, means a normal one.

    ROC AUC has that of Hanley and McNeil (1982). Others, like F1, carry none: they are taken as
    they were measured.
    """
    values = of.get(task)
    # The sum of rows is a level: what it says of the window is exact.
    figures: dict[str, Figure] = {name: Level(value) for name, value in values.items()}
    confusion, regression = of.parts.get("confusion"), of.parts.get("regression")
    if isinstance(confusion, Confusion) and "accuracy" in values:
        n = confusion.effective_n
        figures["accuracy"] = Ratio(values["accuracy"] * n, n)
        if task == "binary":
            figures |= _of_positive(confusion)
    if isinstance(regression, Regression) and "mae" in values:
        n = round(regression.effective_n)
        figures["mae"] = Mean(values["mae"], regression.absolute_std, n)
    # The name stands for predictions that failed, elsewhere.
    figures.pop("error_ratio", None)
    return figures


def _of_positive(confusion: Confusion) -> dict[str, Figure]:
    scores = confusion.per_class().get(POSITIVE)
    if scores is None:
        return {}
    found: dict[str, Ratio] = {}
    share = confusion.effective_n / confusion.n if confusion.n else 0.0
    if scores.predicted:
        found["precision"] = Ratio(
            scores.precision * scores.predicted * share, scores.predicted * share
        )
    if scores.support:
        found["recall"] = Ratio(scores.recall * scores.support * share, scores.support * share)
    return {name: each for name, each in found.items() if math.isfinite(each.n)}
