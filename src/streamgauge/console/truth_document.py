"""The part of a model's screen about its answers: performance, intervals, labels on their way."""

from __future__ import annotations

from collections.abc import Sequence

from streamgauge.console.names import shown
from streamgauge.console.scene import Document
from streamgauge.exposition.fleet import ModelSummary
from streamgauge.state.views import ModelView, PerformanceView

MOST_FIGURES = 12
MOST_GAPS = 6
MOST_TAGS = 6


def truth_document(
    model: ModelSummary, views: Sequence[ModelView], live: Sequence[str]
) -> Document | None:
    """None where no label ever came and none is expected."""
    truth = model.truth
    if truth is None:
        return None
    series = [
        each
        for view in views
        for each in (view.truth.series if view.truth else ())
        if each.version in live
    ]
    return {
        "task": truth.task,
        "performance": [
            performance_row(view)
            for view in (*truth.windows, *truth.provisional)
            if view.version in live and view.figures
        ],
        "labels": {
            "coverage": truth.coverage_ratio,
            "labelled": truth.labelled_ratio,
            "sampling": truth.sampling_ratio,
            "pending": truth.pending,
            "orphans": truth.orphans,
            "mismatched": truth.mismatched,
            "delays": dict(truth.delay_quantiles),
            "settled": truth.counts.get("settled", 0),
        },
        "usual_errors": [
            {"version": shown(each.version), "ratio": each.usual_error_ratio}
            for each in series
            if each.usual_error_ratio is not None
        ],
        "gaps": [
            {
                "version": shown(each.version),
                "against": shown(gap.against),
                "metric": shown(gap.metric),
                "value": gap.value,
                "other": gap.other,
                "gap": gap.gap,
            }
            for each in series
            for gap in each.gaps
        ][:MOST_GAPS],
        "tags": [
            {
                "version": shown(each.version),
                "tag": shown(tag.tag),
                "errors": tag.error_ratio,
                "impact": tag.impact,
            }
            for each in series
            for tag in each.tags
        ][:MOST_TAGS],
    }


def performance_row(view: PerformanceView) -> Document:
    """Figures with their intervals, and how much of the truth they stand on."""
    return {
        "version": shown(view.version),
        "step": shown(view.step),
        "maturity": view.maturity,
        "figures": [
            {
                "name": shown(name),
                "value": value,
                "low": view.intervals[name][0] if name in view.intervals else None,
                "high": view.intervals[name][1] if name in view.intervals else None,
            }
            for name, value in [*view.figures.items()][:MOST_FIGURES]
        ],
        "labelled": view.labelled,
        "n": view.n,
        "ratio": view.labelled_ratio,
        "end": view.end,
        "age": view.age_seconds,
        "worth": view.worth,
        "calibration": {
            "ece": view.calibration.ece,
            "threshold": view.calibration.threshold,
        }
        if view.calibration is not None
        else None,
    }
