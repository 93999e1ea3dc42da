"""What the decisions of a span were worth, by the spec's prices."""

from __future__ import annotations

from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.monitor.truth.performance import Performance, worth
from streamgauge.monitor.truth.scored import NEGATIVE, POSITIVE
from streamgauge.monitor.truth.task import PositiveClass
from streamgauge.state.views import PerformanceView


def priced(truth: ModelTruth, view: PerformanceView, of: Performance) -> PerformanceView:
    """The view with what the decisions were worth, where the spec says what each is."""
    values = truth.spec.labels.values
    if not values:
        return view
    names = dict(enumerate(truth.scorer.classes.names))
    if truth.task == "binary":
        names = _sides(truth, sorted({*values, *(true for row in values.values() for true in row)}))
    return view.model_copy(update={"worth": worth(of, values, names)})


def _sides(truth: ModelTruth, named: list[str]) -> dict[int, str]:
    """What the matrix calls the class that is looked for, and the other one."""
    positive = PositiveClass(truth.positive.declared)
    positive.restore(truth.positive.state())
    positive.look(named)
    sides: dict[int, str] = {}
    for name in named:
        sides.setdefault(POSITIVE if positive.holds(name) else NEGATIVE, name)
    return sides
