"""The part of ``explain`` about one version and step: its window, its verdicts, its slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.bars import bars
from streamgauge.cli.output import print_rows, printable, show_number, show_time
from streamgauge.cli.verdict_rows import percent, print_judgements, words
from streamgauge.exposition.milliseconds import in_milliseconds
from streamgauge.specs.scalars import show_duration

if TYPE_CHECKING:
    from streamgauge.state.views import (
        FeatureView,
        JudgementView,
        SeriesView,
        SliceView,
    )

#: Most verdicts and hints that a model's page lists.
_MOST_VERDICTS = 20
_MOST_HINTS = 10
_MOST_NAMED = 3
#: What is seen of answers as numbers, beside the latency.
_OUTPUTS = ("output.score", "output.confidence", "output.margin", "output.entropy")
_LATENCY = "output.latency"


def print_series(series: SeriesView, *, settles: str) -> None:
    """All of a series but its name. ``settles`` says how long a learned reference becomes."""
    why = f" ({printable(series.reason)})" if series.reason else ""
    typer.echo(f"state {words(series.state)}{why}")
    if series.rival is not None:
        typer.echo(f"held against version {printable(series.rival)}")
    if series.window_end is not None and series.window_start is not None:
        span = show_duration(round(series.window_end - series.window_start, 3))
        typer.echo(
            f"last window: {series.window_n} events in {span} until "
            f"{show_time(series.window_end)} UTC, {show_number(series.rate)} a second, "
            f"errors {percent(series.error_ratio)}"
        )
    if series.latency_quantiles:
        quantiles = series.latency_quantiles.items()
        told = (f"{_quantile(q)} {milliseconds(value)}" for q, value in quantiles)
        typer.echo(f"latency: {', '.join(told)}")
    outputs = [f for f in series.features if f.name in _OUTPUTS and f.mean is not None]
    if outputs:
        means = (f"{f.name.partition('.')[2]} {show_number(f.mean)}" for f in outputs)
        typer.echo(f"outputs, on average: {', '.join(means)}")
    typer.echo(f"reference: {_reference(series, settles)}")
    judged = [*series.judgements, *(j for f in series.features for j in f.judgements)]
    judged.sort(key=lambda j: -(j.severity if j.severity is not None else -1.0))
    _verdicts(judged, series.rival)
    _hints(series.features, judged)
    _slices(series.slices)
    if series.detectors:
        typer.echo("")
        print_rows(
            [each.model_dump() for each in series.detectors],
            columns=("series", "detector", "state", "samples", "estimate", "detections"),
        )


def print_column(feature: FeatureView, *, settles: str, rival: str | None = None) -> None:
    """A feature, an output, or what is no column and has verdicts alone."""
    if feature.type == "numeric":
        show = milliseconds if feature.name == _LATENCY else show_number
        typer.echo(
            f"numeric: mean {show(feature.mean)}, standard deviation {show(feature.std)}, "
            f"from {show(feature.minimum)} to {show(feature.maximum)}"
        )
    elif feature.type != "unknown" or not feature.judgements:
        typer.echo(feature.type)
    for name, ratio in (
        ("missing", feature.missing_ratio),
        ("wrong type", feature.wrong_type_ratio),
        ("out of range", feature.out_of_range_ratio),
        ("new categories", feature.new_category_ratio),
    ):
        if ratio:
            typer.echo(f"{name}: {percent(ratio)}")
    for hint in feature.hints:
        typer.echo(f"hint: {printable(hint)}")
    if feature.provisional:
        typer.echo(f"reference: {_until(settles)}")
    print_judgements(feature.judgements, rival=rival)
    for judgement in feature.judgements:
        if judgement.others and judgement.kind != "release":
            others = ", ".join(f"{k} {show_number(v)}" for k, v in judgement.others.items())
            typer.echo(f"shown beside {printable(judgement.detector)}: {printable(others)}")
    if feature.histogram is not None:
        typer.echo("")
        histogram = feature.histogram
        if feature.name == _LATENCY:
            histogram = in_milliseconds(histogram)
        for line in bars(histogram):
            typer.echo(line)


def _verdicts(judged: Sequence[JudgementView], rival: str | None) -> None:
    """Those that say something; that nothing at all is missing needs no line of its own."""
    telling = [j for j in judged if j.state != "ok" or j.severity]
    shown = telling[:_MOST_VERDICTS]
    print_judgements(shown, rival=rival, times=False)
    more, well = len(telling) - len(shown), len(judged) - len(telling)
    told = [f"{more} more"] if more else []
    told += [f"{well} more that are ok and nowhere near"] if well else []
    if told:
        typer.echo(f"and {', and '.join(told)}")


def milliseconds(seconds: float | None) -> str:
    """A latency with its unit.

    >>> milliseconds(0.00421), milliseconds(2.5), milliseconds(None)
    ('4.21 ms', '2500 ms', '-')
    """
    return "-" if seconds is None else f"{1000 * seconds:.4g} ms"


def _quantile(key: str) -> str:
    """The name of a quantile; views have it as a number.

    >>> _quantile("0.5"), _quantile("0.99"), _quantile("0.999"), _quantile("p95")
    ('p50', 'p99', 'p99.9', 'p95')
    """
    try:
        return f"p{100 * float(key):g}"
    except ValueError:
        return printable(key)


def _reference(series: SeriesView, settles: str) -> str:
    if series.reference_kind == "none":
        return "none yet"
    told: str = series.reference_kind
    if series.reference_id:
        told += f" {printable(series.reference_id)} ({series.reference_n} events)"
    young = [feature.name for feature in series.features if feature.provisional]
    if not young:
        return told
    known = [feature for feature in series.features if feature.histogram is not None]
    whose = ""
    if len(young) < len(known):
        whose = f" for {printable(', '.join(young))}"
        if len(young) > _MOST_NAMED:
            whose = f" for {len(young)} of {len(known)} features"
    return f"{told}, {_until(settles, whose)}"


def _until(settles: str, whose: str = "") -> str:
    return f"provisional{whose}: it judges softly until it holds {settles} of ordinary windows"


def _hints(features: Sequence[FeatureView], judged: Sequence[JudgementView]) -> None:
    """Hints on features, those first that moved most."""
    order = {judgement.target: place for place, judgement in reversed([*enumerate(judged)])}
    odd = sorted(
        (each for each in features if each.hints),
        key=lambda each: order.get(each.name, len(order)),
    )
    told = [f"hint: {each.name}: {hint}" for each in odd for hint in each.hints]
    for line in told[:_MOST_HINTS]:
        typer.echo(printable(line))
    if len(told) > _MOST_HINTS:
        typer.echo(f"and {len(told) - _MOST_HINTS} more hints")


def _slices(slices: Sequence[SliceView]) -> None:
    if not slices:
        return
    typer.echo("")
    ordered = sorted(slices, key=lambda each: -(each.severity or 0.0))
    print_rows(
        [
            {
                "slice": f"{each.segment} = {each.value}",
                "events": f"{each.n:,}",
                "errors": percent(each.error_ratio),
                "severity": each.severity,
                "moved_most": each.feature if each.severity is not None else None,
            }
            for each in ordered
        ],
        columns=("slice", "events", "errors", "severity", "moved_most"),
    )
