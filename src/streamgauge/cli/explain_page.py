"""The pages that ``streamgauge explain`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.explain import feature_views, series_name
from streamgauge.cli.learning_page import print_learning
from streamgauge.cli.output import print_rows, printable, show_time
from streamgauge.cli.project_page import print_criteria, print_purpose, print_risks
from streamgauge.cli.series_page import print_column, print_series
from streamgauge.cli.truth_page import print_truth
from streamgauge.cli.usage_page import print_behaviour, print_clients, print_news
from streamgauge.specs.scalars import parse_duration, show_duration

if TYPE_CHECKING:
    from streamgauge.specs import SpecVersion
    from streamgauge.specs.effective import Setting
    from streamgauge.state.learner_views import LearnerView
    from streamgauge.state.views import ModelView

#: A learned reference settles after so many times ``reference.min_duration``.
SETTLES_AFTER = 7


def print_model(
    model: str,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    waiting: SpecVersion | None,
    settings: Sequence[Setting],
    *,
    learners: Sequence[LearnerView],
    written: float | None,
    now: float,
) -> None:
    """The page of a model."""
    _head(model, views, spec, waiting, written=written, now=now)
    print_news(views, now=now)
    if spec is not None:
        print_purpose(spec.spec, now=now)
    for view in views:
        for series in view.series:
            _section(series_name(view, series.version, series.step, several=len(views) > 1))
            print_series(series, settles=_settles(settings))
    print_truth(views)
    print_learning(learners)
    print_behaviour(views)
    print_clients(views, now=now)
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
    for name, each, rival in found:
        _section(name)
        print_column(each, settles=_settles(settings), rival=rival)
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


def _alarms(views: Sequence[ModelView], *, feature: str | None) -> None:
    alarms = [
        alarm
        for view in views
        for alarm in view.alarms
        if feature is None or alarm.feature in (None, feature.removeprefix("feedback "))
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


def _settles(settings: Sequence[Setting]) -> str:
    learning = next((s.value for s in settings if s.name == "reference.min_duration"), "0s")
    return show_duration(SETTLES_AFTER * parse_duration(learning))


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
