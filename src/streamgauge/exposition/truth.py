"""How labels come and how good the answers were, as series."""

from __future__ import annotations

from collections.abc import Iterable

from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.sheet import Sheet
from streamgauge.exposition.truths import MOST_FIGURES
from streamgauge.state.views import PerformanceView
from streamgauge.telemetry import truth


def put_labels(sheet: Sheet, model: ModelSummary) -> None:
    """The join of labels and predictions; nothing where no label is expected."""
    found, name = model.truth, model.model
    if found is None:
        return
    sheet.gauge(truth.LABEL_COVERAGE, found.coverage_ratio, model=name)
    sheet.gauge(truth.LABELS_PENDING, found.pending, model=name)
    sheet.gauge(truth.LABEL_SAMPLING, found.sampling_ratio, model=name)
    sheet.count(truth.LABEL_ORPHANS, found.orphans, model=name)
    for outcome, n in [*sorted(found.counts.items()), ("mismatched", found.mismatched)]:
        sheet.count(truth.LABEL_OUTCOMES, n, model=name, outcome=outcome)
    for q, seconds in found.delay_quantiles.items():
        sheet.gauge(truth.LABEL_DELAY, seconds, model=name, quantile=q)


def put_performance(sheet: Sheet, model: ModelSummary, live: Iterable[str]) -> None:
    """Performance of live versions, settled ones first.

    Also of a model that has fallen silent: truth comes later than predictions, and the time of the
    newest one stands beside it.
    """
    if model.truth is None:
        return
    versions = set(live)
    for view in (*model.truth.windows, *model.truth.provisional):
        if view.version in versions:
            _put(sheet, model.model, view)


def put_performance_slices(sheet: Sheet, model: ModelSummary, live: Iterable[str]) -> None:
    """Error ratios by declared segment; regressions have none."""
    versions = set(live)
    for view in model.truth.slices if model.truth is not None else ():
        if view.version in versions and view.segment is not None:
            segment, value = view.segment
            sheet.gauge(
                truth.PERFORMANCE_SLICE_ERRORS,
                view.figures.get("error_ratio"),
                model=model.model,
                version=view.version,
                step=view.step,
                segment=segment,
                value=value,
            )


def _put(sheet: Sheet, model: str, view: PerformanceView) -> None:
    labels = {"model": model, "version": view.version, "step": view.step}
    labels["maturity"] = view.maturity
    sheet.gauge(truth.PERFORMANCE_LABELLED, view.labelled_ratio, **labels)
    sheet.gauge(truth.PERFORMANCE_END, view.end, **labels)
    for place, (metric, value) in enumerate(view.figures.items()):
        if place >= MOST_FIGURES:
            sheet.dropped["metrics"] += 1
            continue
        sheet.gauge(truth.PERFORMANCE_SCORE, value, **labels, metric=metric)
