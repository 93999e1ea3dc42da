"""A span's performance as readers see it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.reliability import Reliability
from streamgauge.monitor.criteria import CONFIDENCE
from streamgauge.monitor.figures import Level
from streamgauge.monitor.truth.figures import performance_figures
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.truth.task import Task
from streamgauge.monitor.truth.window import Slice
from streamgauge.state.views import CalibrationView, ClassView, PerformanceView

#: A calibrated model's error exceeds the threshold in one window of a hundred.
ALPHA = 0.01
MOST_CLASSES = 20
#: What is shown of a slice.
OF_SLICES = frozenset(
    {"accuracy", "error_ratio", "precision", "recall", "f1", "mae", "rmse", "bias"}
)


def performance_view(
    of: Performance,
    task: Task | None,
    *,
    version: str,
    step: str,
    maturity: Literal["settled", "provisional"] = "settled",
    segment: Slice | None = None,
    span: tuple[float, float] | None = None,
    classes: Sequence[str] = (),
    calibrated: bool = False,
) -> PerformanceView:
    """The figures of a span, and intervals where they have one.

    ``classes`` are names by code, of a model with more than two. ``calibrated`` adds the bins of
    reliability, which costs about a millisecond.
    """
    values = figures = of.get(task)
    if segment is not None:
        figures = {name: value for name, value in figures.items() if name in OF_SLICES}
    return PerformanceView(
        version=version,
        step=step,
        maturity=maturity,
        segment=segment,
        figures={name: value for name, value in figures.items() if math.isfinite(value)},
        intervals=_intervals(of, task, values),
        n=max(of.predictions, 0.0),
        labelled=max(of.scored, 0.0),
        start=span[0] if span is not None else None,
        end=span[1] if span is not None else None,
        calibration=_calibration(of) if calibrated else None,
        classes=_classes(of, classes) if task == "multiclass" and segment is None else [],
    )


def _intervals(
    of: Performance, task: Task | None, values: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    found = {}
    for name, figure in performance_figures(of, task, values).items():
        estimate = None if isinstance(figure, Level) else figure.estimate(CONFIDENCE)
        if estimate is not None and estimate.low is not None and estimate.high is not None:
            ends = estimate.low, estimate.high
            if all(map(math.isfinite, ends)):
                found[name] = ends
    return found


def _calibration(of: Performance) -> CalibrationView | None:
    reliability = of.parts.get("reliability")
    bins = reliability.bins() if isinstance(reliability, Reliability) else []
    if not isinstance(reliability, Reliability) or not bins:
        return None
    return CalibrationView(
        upper=[each.upper for each in bins],
        n=[each.n for each in bins],
        confidence=[each.confidence for each in bins],
        accuracy=[each.accuracy for each in bins],
        ece=reliability.get()["ece"],
        threshold=reliability.ece_threshold(ALPHA),
    )


def _classes(of: Performance, names: Sequence[str]) -> list[ClassView]:
    """The classes that are found worst, the larger ones first among equals."""
    confusion = of.parts.get("confusion")
    if not isinstance(confusion, Confusion):
        return []
    found = [
        ClassView(
            name=names[code],
            precision=score.precision,
            recall=score.recall,
            n=score.support,
            predicted=score.predicted,
        )
        for code, score in confusion.per_class().items()
        if code < len(names) and score.support > 0
    ]
    return sorted(found, key=lambda each: (each.recall, -each.n, each.name))[:MOST_CLASSES]
