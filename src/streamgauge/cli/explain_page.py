"""The pages that ``streamgauge explain`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.bars import bars
from streamgauge.cli.explain import feature_views, series_name
from streamgauge.cli.output import print_rows, printable, show_number, show_time
from streamgauge.cli.project_page import print_criteria, print_purpose, print_risks
from streamgauge.specs.scalars import show_duration

if TYPE_CHECKING:
    from streamgauge.specs import SpecVersion
    from streamgauge.specs.effective import Setting
    from streamgauge.state.views import FeatureView, JudgementView, ModelView, SeriesView

#: Most features that a model's page lists, worst first.
_MOST_FEATURES = 20
_JUDGED = ("target", "detector", "state", "value", "threshold", "severity", "n", "as_of", "reason")


def print_model(
    model: str,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    waiting: SpecVersion | None,
    settings: Sequence[Setting],
    *,
    written: float | None,
    now: float,
) -> None:
    """The page of a model."""
    _head(model, views, spec, waiting, written=written, now=now)
    if spec is not None:
        print_purpose(spec.spec, now=now)
    for view in views:
        for series in view.series:
            _section(series_name(view, series.version, series.step, several=len(views) > 1))
            _series(series)
    print_criteria(views)
    _alarms(views, feature=None)
    if spec is not None:
        print_risks(spec.spec)
    _settings(settings, spec)


def print_feature(
    model: str,
    feature: str,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    waiting: SpecVersion | None,
    settings: Sequence[Setting],
    *,
    written: float | None,
    now: float,
) -> None:
    """The page of a feature."""
    _head(f"{model}.{feature}", views, spec, waiting, written=written, now=now)
    found = feature_views(views, feature)
    if not found:
        typer.echo("no data: no window with this feature was judged yet")
    for name, each in found:
        _section(name)
        _feature(each)
    _alarms(views, feature=feature)
    _settings(settings, spec)


def _head(
    title: str,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    waiting: SpecVersion | None,
    *,
    written: float | None,
    now: float,
) -> None:
    typer.echo(printable(title))
    if not views:
        typer.echo("no data: no worker has seen an event of this model")
    elif written is not None:
        age = max(0.0, now - written)
        typer.echo(f"as of {show_time(written)} UTC ({age:.0f} s ago)")
    if spec is None:
        typer.echo("spec: none, the defaults hold")
    else:
        who = printable(spec.applied_by)
        typer.echo(
            f"spec: version {spec.number}, applied by {who} at {show_time(spec.applied_at)} UTC"
        )
    for number in sorted({v.spec_version for v in views if v.spec_version is not None}):
        if spec is not None and number != spec.number:
            typer.echo(f"the worker still judges by version {number}: its log has not got there")
    if waiting is not None:
        when = show_time(waiting.effective_at)
        typer.echo(f"version {waiting.number} takes effect at {when} UTC")


def _series(series: SeriesView) -> None:
    why = f" ({printable(series.reason)})" if series.reason else ""
    typer.echo(f"state {words(series.state)}{why}")
    if series.window_end is not None and series.window_start is not None:
        span = show_duration(round(series.window_end - series.window_start, 3))
        typer.echo(
            f"last window: {series.window_n} events in {span} until "
            f"{show_time(series.window_end)} UTC, {show_number(series.rate)} a second, "
            f"errors {percent(series.error_ratio)}"
        )
    if series.latency_quantiles:
        quantiles = series.latency_quantiles.items()
        typer.echo("latency: " + ", ".join(f"{q} {value * 1000:.4g} ms" for q, value in quantiles))
    reference: str = "none yet" if series.reference_kind == "none" else series.reference_kind
    if series.reference_id:
        reference += f" {series.reference_id} ({series.reference_n} events)"
    typer.echo(f"reference: {reference}")
    judged = [*series.judgements, *(j for f in series.features for j in f.judgements)]
    judged.sort(key=lambda j: -(j.severity if j.severity is not None else -1.0))
    _judgements(judged[:_MOST_FEATURES])
    if len(judged) > _MOST_FEATURES:
        typer.echo(f"and {len(judged) - _MOST_FEATURES} more")
    if series.detectors:
        print_rows(
            [each.model_dump() for each in series.detectors],
            columns=("series", "detector", "state", "samples", "estimate", "detections"),
        )


def _feature(feature: FeatureView) -> None:
    typer.echo(
        f"{feature.type}: mean {show_number(feature.mean)}, standard deviation "
        f"{show_number(feature.std)}, from {show_number(feature.minimum)} "
        f"to {show_number(feature.maximum)}"
        if feature.type == "numeric"
        else feature.type
    )
    for name, ratio in (
        ("missing", feature.missing_ratio),
        ("wrong type", feature.wrong_type_ratio),
        ("out of range", feature.out_of_range_ratio),
        ("new categories", feature.new_category_ratio),
    ):
        if ratio:
            typer.echo(f"{name}: {percent(ratio)}")
    _judgements(feature.judgements)
    for judgement in feature.judgements:
        if judgement.others:
            others = ", ".join(f"{k} {show_number(v)}" for k, v in judgement.others.items())
            typer.echo(f"shown beside {printable(judgement.detector)}: {printable(others)}")
    if feature.histogram is not None:
        typer.echo("")
        for line in bars(feature.histogram):
            typer.echo(line)


def _judgements(judgements: Sequence[JudgementView]) -> None:
    if not judgements:
        return
    typer.echo("")
    rows = [
        {**j.model_dump(), "state": words(j.state), "as_of": show_time(j.as_of)} for j in judgements
    ]
    print_rows(rows, columns=_JUDGED)


def _alarms(views: Sequence[ModelView], *, feature: str | None) -> None:
    alarms = [
        alarm
        for view in views
        for alarm in view.alarms
        if feature is None or alarm.feature in (None, feature)
    ]
    if not alarms:
        return
    _section("alarms")
    for alarm in alarms:
        since = f"since {show_time(alarm.starts_at)} UTC"
        if alarm.ends_at is not None:
            since += f" until {show_time(alarm.ends_at)} UTC"
        typer.echo(
            printable(
                f"{alarm.status.upper()} {alarm.severity} {alarm.kind} {since}: {alarm.summary}"
            )
        )


def _settings(settings: Sequence[Setting], spec: SpecVersion | None) -> None:
    _section("settings")
    origins = {
        "spec": f"spec version {spec.number}" if spec else "spec",
        "process": "the process' settings, as this command reads them",
        "default": "default",
    }
    rows = [{"setting": s.name, "value": s.value, "from": origins[s.origin]} for s in settings]
    print_rows(rows, columns=("setting", "value", "from"))


def _section(title: str) -> None:
    typer.echo("")
    typer.echo(printable(title))


def words(state: str) -> str:
    """A judgement's state as people read it.

    >>> words("too_few"), words("ok")
    ('TOO FEW', 'ok')
    """
    return state if state in ("ok", "pending", "warming") else state.replace("_", " ").upper()


def percent(ratio: float | None) -> str:
    """A ratio in percent, precise enough to see that it is not zero."""
    return "-" if ratio is None else f"{100 * ratio:.3g} %"
