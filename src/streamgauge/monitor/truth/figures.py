"""Performance as figures with intervals, which criteria and views share."""

from __future__ import annotations

import math
from collections.abc import Mapping

from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.named_scores import NamedScores
from streamgauge.metrics.regression import Regression
from streamgauge.monitor.figures import Figure, Level, Mean, Ratio
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.truth.scored import POSITIVE
from streamgauge.monitor.truth.task import Task


def performance_figures(
    of: Performance, task: Task | None, values: Mapping[str, float] | None = None
) -> dict[str, Figure]:
    """Every figure by its name. Shares carry Wilson's interval, means a normal one.

    Others, like F1 and ROC AUC, carry none: they are taken as they were measured. ``values`` are
    those of ``get``, where the caller has them.
    """
    values = {
        name: value for name, value in (values or of.get(task)).items() if math.isfinite(value)
    }
    labelled = round(max(of.scored, 0.0))
    # The sum of rows is a level: what it says of the window is exact.
    figures: dict[str, Figure] = {name: Level(value, labelled) for name, value in values.items()}
    named = of.parts.get("named")
    if isinstance(named, NamedScores):
        for name in named.kept():
            score = named.score(name)
            if score is not None and values.get(name) == score.mean:
                figures[name] = Mean(score.mean, score.std, score.events)
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
