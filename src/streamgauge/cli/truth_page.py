"""The part of ``explain`` about the truth: how labels come, how good answers were, what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.explain import series_name
from streamgauge.cli.output import printable, show_number, show_time
from streamgauge.cli.truth_advice import advice
from streamgauge.cli.truth_worst import calibration_words, gap_words, worst_words
from streamgauge.cli.verdict_rows import percent
from streamgauge.exposition.words import duration

if TYPE_CHECKING:
    from streamgauge.state.views import (
        AlarmView,
        LabelsView,
        ModelView,
        PerformanceView,
        TruthSeriesView,
        TruthView,
    )

_TASKS = {
    "binary": "binary classification",
    "multiclass": "classification",
    "regression": "regression",
    "scores": "scores that labels carry",
}
#: What stands first, of each task; what there is of the others follows.
_FIRST = (
    *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc"),
    *("log_loss", "brier", "ece", "mae", "rmse", "r2", "bias", "value"),
)
#: Shown by programs alone.
_UNSAID = frozenset({"error_ratio", "roc_auc_error", "pr_auc_error", "mce"})
MOST_FIGURES = 12


def print_truth(views: Sequence[ModelView]) -> None:
    """What is known of the truth on each partition; nothing where no label is expected."""
    for view in views:
        if view.truth is None:
            continue
        typer.echo("")
        several = len(views) > 1
        where = f", partition {view.partition}" if several else ""
        typer.echo(printable(f"truth{where}: {_task(view.truth)}"))
        for line in _labels(view.truth.labels):
            typer.echo(line)
        for each in view.truth.series:
            name = series_name(view, each.version, each.step, several=False)
            rising = [a for a in view.alarms if a.kind == "concept_drift"]
            for line in _series(each, [a for a in rising if a.status == "firing"]):
                typer.echo(printable(f"{name}: {line}"))
        for line in advice(view.truth.labels):
            typer.echo(f"! {line}")


def _task(truth: TruthView) -> str:
    if truth.task is None:
        return "no label came yet that tells what the model does"
    looks = f", looks for {truth.positive}" if truth.positive else ""
    return f"{_TASKS[truth.task]}{looks}"


def _labels(labels: LabelsView) -> Iterator[str]:
    counts = labels.counts
    parts = [f"{counts.get('labels', 0):,} came"]
    if labels.coverage_ratio is not None:
        parts.append(f"{percent(labels.coverage_ratio)} of settled predictions got one")
    if labels.labelled_ratio is not None:
        parts.append(f"{percent(labels.labelled_ratio)} of all so far")
    parts.append(f"{labels.pending:,} predictions wait")
    told = (
        ("corrections", "corrected"),
        ("withdrawn", "withdrawn"),
        ("duplicates", "came twice"),
        ("implied", "taken for a no"),
    )
    parts += [f"{counts[name]:,} {word}" for name, word in told if counts.get(name)]
    yield f"labels: {', '.join(parts)}"
    if labels.delay_quantiles:
        late = (
            f"{percent(float(q))} within {duration(math.ceil(seconds))}"
            for q, seconds in labels.delay_quantiles.items()
        )
        yield f"delay: {', '.join(late)} (of all predictions, those that still wait included)"


def _series(series: TruthSeriesView, rising: Sequence[AlarmView]) -> Iterator[str]:
    if series.window is not None:
        yield _settled(series.window)
    elif series.total is not None:
        yield "no window is settled yet"
    if series.total is not None:
        yield f"settled since the start, {_labelled(series.total)}: {_figures(series.total)}"
    if series.provisional is not None:
        yield _provisional(series.provisional)
    yield from _errors(series, rising)
    yield from _scores(series)
    for gap in series.gaps:
        yield gap_words(gap)
    if series.window is not None:
        yield from calibration_words(series.window)
        yield from worst_words(series)


def _settled(window: PerformanceView) -> str:
    end = show_time(window.end)
    worth = f"; worth {show_number(window.worth)}" if window.worth is not None else ""
    return f"settled until {end} UTC, {_labelled(window)}: {_figures(window)}{worth}"


def _provisional(view: PerformanceView) -> str:
    age = duration(view.age_seconds) if view.age_seconds is not None else "?"
    return (
        f"provisional, {percent(view.labelled_ratio)} of labels in, predictions {age} old: "
        f"{_figures(view)}; labels that are still to come may say otherwise"
    )


def _labelled(view: PerformanceView) -> str:
    return f"{view.labelled:,.0f} labelled of {view.n:,.0f}"


def _figures(view: PerformanceView) -> str:
    known = [name for name in _FIRST if name in view.figures]
    known += [n for n in view.figures if n not in _FIRST and n not in _UNSAID]
    told = []
    for name in known[:MOST_FIGURES]:
        text = f"{name} {show_number(view.figures[name])}"
        if name in view.intervals:
            low, high = view.intervals[name]
            text += f" ({show_number(low)} to {show_number(high)})"
        told.append(text)
    return ", ".join(told) or "no figure yet"


def _errors(series: TruthSeriesView, rising: Sequence[AlarmView]) -> Iterator[str]:
    found = next((j for j in series.judgements if j.detector == "error_ratio"), None)
    if found is None or found.value is None:
        return
    if series.usual_error_ratio is None or found.threshold is None:
        yield f"errors {percent(found.value)}; {found.reason or 'learning what is usual'}"
        return
    usual = f"usually {percent(series.usual_error_ratio)}, at most {percent(found.threshold)}"
    risen = any(
        j.kind == "concept_drift" and j.target == "errors" and j.state == "firing"
        for j in series.judgements
    )
    if risen:
        since = min((alarm.starts_at for alarm in rising), default=None)
        when = f" since {show_time(since)} UTC" if since is not None else ""
        yield f"errors have RISEN{when}: {percent(found.value)}, {usual}"
    else:
        yield f"errors {percent(found.value)}, {usual}"


def _scores(series: TruthSeriesView) -> Iterator[str]:
    for each in series.judgements:
        if each.detector == "poor_ratio" and each.value is not None:
            worse = ", WORSE than usual" if each.state == "firing" else ""
            most = f", at most {percent(each.threshold)}" if each.threshold is not None else ""
            yield f"{each.target}: poor in {percent(each.value)}{worse}{most}"
