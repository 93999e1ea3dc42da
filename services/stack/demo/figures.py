"""The demo's figures, read from the views as anybody else would read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streamgauge.state.reader import Snapshot
from streamgauge.state.views import JudgementView, ModelView, SeriesView


@dataclass(frozen=True, slots=True)
class Row:
    """One model in the table. None where there is no figure yet."""

    model: str
    rate: float | None
    p95_seconds: float | None
    severity: float | None
    target: str
    state: str
    open_alarms: int
    #: Share of wrong answers among the last predictions whose truth is known.
    wrong: float | None = None


def row(model: str, views: Iterable[ModelView]) -> Row:
    """What the views say of a model; the version seen last stands for it."""
    shards = list(views)
    series = [one for view in shards for one in view.series if one.window_end is not None]
    newest = max(series, key=_window_end, default=None)
    worst = max(
        (judgement for one in series for judgement in _judgements(one)),
        key=lambda judgement: judgement.severity or 0.0,
        default=None,
    )
    return Row(
        model=model,
        rate=newest.rate if newest else None,
        p95_seconds=_p95(newest),
        severity=worst.severity if worst else None,
        target=worst.target if worst else "",
        state=newest.state if newest else "warming",
        open_alarms=sum(alarm.status == "firing" for view in shards for alarm in view.alarms),
        wrong=_wrong(shards),
    )


def _wrong(shards: Iterable[ModelView]) -> float | None:
    windows = [
        one.window
        for view in shards
        if view.truth is not None
        for one in view.truth.series
        if one.window is not None
    ]
    newest = max(windows, key=lambda window: window.end or 0.0, default=None)
    return newest.figures.get("error_ratio") if newest is not None else None


def rows(models: Iterable[str], snapshot: Snapshot) -> list[Row]:
    """A row for each model, those included of which nothing is known yet."""
    return [
        row(model, (view for view in snapshot.models if view.model == model)) for model in models
    ]


def counted(models: Iterable[str], snapshot: Snapshot) -> int:
    """Predictions of these models that the monitor has counted and made durable."""
    wanted = set(models)
    return sum(
        n
        for view in snapshot.models
        if view.model in wanted
        for one in view.series
        for n in one.counts.values()
    )


def dead(snapshot: Snapshot) -> int:
    """Dead letters over all partitions."""
    return sum(sum(partition.dead.values()) for _, partition in snapshot.partitions)


def _judgements(series: SeriesView) -> Iterable[JudgementView]:
    yield from (one for one in series.judgements if one.severity is not None)
    for feature in series.features:
        yield from (one for one in feature.judgements if one.severity is not None)


def _window_end(series: SeriesView) -> float:
    return series.window_end or 0.0


def _p95(series: SeriesView | None) -> float | None:
    return series.latency_quantiles.get("0.95") if series else None
