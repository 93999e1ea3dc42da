"""The screen of a model: its hour, what moved, how good its answers are, who learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamgauge.console.alarm_rows import alarm_rows
from streamgauge.console.columns import LATENCY, columns
from streamgauge.console.history import LINES, POINTS, STEP_SECONDS, Values
from streamgauge.console.judgements import histogram_row
from streamgauge.console.learning_rows import decisions, learning_rows
from streamgauge.console.names import command, key_of, said, shown
from streamgauge.console.scene import Document, Scene
from streamgauge.console.truth_document import truth_document
from streamgauge.exposition.fleet import FeatureSummary, ModelSummary, SeriesSummary, gravity
from streamgauge.exposition.remarks import remarks, unjudged
from streamgauge.state.views import ModelView

#: Rows of the heat strip.
MOST_FEATURES = 30
MOST_OUTPUTS = 4
MOST_SLICES = 12
MOST_CLIENTS = 20
MOST_HINTS = 10
#: What an output's columns are called.
_OUTPUTS = ("output", "output.label", "output.score", "output.confidence", LATENCY)


def model_document(scene: Scene, key: str) -> Document | None:
    """None where no such model is known."""
    model = scene.model(key)
    if model is None:
        return None
    views = [view for view in scene.snapshot.models if view.model == model.model]
    row, live = scene.row(model.model), scene.live[model.model]
    owner = next((view.owner for view in views if view.owner), None)
    return {
        **scene.head("model"),
        "key": key,
        "name": shown(model.model),
        "owner": shown(owner) if owner else None,
        "spec": {
            "judged_by": model.spec_version,
            "newest": scene.snapshot.specs.get(model.model),
        },
        "row": {
            "status": row.status,
            "why": said(row.why),
            "rate": row.rate,
            "errors": row.errors,
            "p95": row.p95,
            "severity": row.severity,
            "answers": said(row.answers),
            "quiet": row.quiet,
        },
        "last_event": model.last_event,
        "lines": {name: scene.history.line(model.model, name) for name in LINES},
        "end": scene.history.end,
        "step": STEP_SECONDS,
        "points": POINTS,
        "features": _features(scene, model, live),
        "outputs": [*_outputs(views, live)][:MOST_OUTPUTS],
        "truth": truth_document(model, views, live),
        "versions": _versions(scene, model, views, live),
        "learning": learning_rows(
            each for each in scene.snapshot.learners if each.model == model.model
        ),
        "decisions": decisions(scene.snapshot.learners, model.model),
        "alarms": alarm_rows([model], status="firing", most=20),
        "resolved": alarm_rows([model], status="resolved", most=10),
        "criteria": [
            {
                "name": shown(each.name),
                "kind": each.kind,
                "expr": said(each.expr),
                "state": each.state,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "n": each.n,
                "reason": said(each.reason),
            }
            for each in model.criteria
        ],
        "behaviour": [
            {
                "kind": shown(each.kind),
                "ratio": each.ratio,
                "state": each.judgement.state,
                "severity": each.judgement.severity,
                "threshold": each.judgement.threshold,
                "reason": said(each.judgement.reason),
            }
            for each in model.behaviour
        ],
        "slices": _slices(model, live),
        "clients": [
            {
                "service": shown(each.service),
                "instance": shown(each.instance),
                "last_seen": each.last_seen,
                "cpu": each.measurements.get("cpu_ratio"),
                "memory": each.measurements.get("memory_bytes"),
                "requests": each.measurements.get("requests_per_second"),
            }
            for each in model.clients[:MOST_CLIENTS]
        ],
        "remarks": [said(line) for line in [*remarks(model, now=scene.now), *unjudged(model)]],
        "hints": [*_hints(views, live)][:MOST_HINTS],
        "late": model.late,
        "lost_events": model.lost_events,
        "explain": command("streamgauge", "explain", model.model),
    }


def _features(scene: Scene, model: ModelSummary, live: Sequence[str]) -> list[Document]:
    """The gravest thirty, each with its hour. Of several versions the gravest speaks."""
    gravest: dict[str, FeatureSummary] = {}
    for series in model.series:
        if series.version not in live:
            continue
        for each in series.features:
            known = gravest.setdefault(each.name, each)
            if gravity(each) > gravity(known):
                gravest[each.name] = each
    hour: dict[str, Values] = scene.history.features(model.model)
    ranked = sorted(gravest.values(), key=lambda each: (*(-g for g in gravity(each)), each.name))
    return [
        {
            "key": key_of(each.name),
            "name": shown(each.name),
            "state": "no_data"
            if model.silent
            else each.judgement.state
            if each.judgement
            else None,
            "reason": said(each.judgement.reason) if each.judgement else "",
            "severity": each.judgement.severity if each.judgement and not model.silent else None,
            "values": hour.get(each.name, []),
        }
        for each in ranked[:MOST_FEATURES]
    ]


def _outputs(views: Sequence[ModelView], live: Sequence[str]) -> Iterator[Document]:
    for name in _OUTPUTS:
        for column in columns(views, name, live):
            histogram = histogram_row(column.histogram)
            if histogram is not None:
                yield {
                    "key": key_of(name),
                    "name": name,
                    "version": shown(column.version),
                    "step": shown(column.step),
                    "histogram": histogram,
                }
                break


def _versions(
    scene: Scene, model: ModelSummary, views: Sequence[ModelView], live: Sequence[str]
) -> list[Document]:
    appeared = scene.history.appeared(model.model)
    raw = {(s.version, s.step): s for view in views for s in view.series}
    found = sorted(model.series, key=lambda each: (each.version not in live, each.version))
    return [
        {**_version(each), "since": appeared.get(each.version), "live": each.version in live}
        | _reference(raw.get((each.version, each.step)))
        for each in found[:50]
    ]


def _version(series: SeriesSummary) -> Document:
    return {
        "version": shown(series.version),
        "step": shown(series.step),
        "total": series.total,
        "state": series.state,
        "reason": said(series.reason),
        "silent": series.silent,
        "rate": None if series.silent else series.rate,
        "errors": None if series.silent else series.error_ratio,
        "p95": None if series.silent else series.p95,
        "poisoned": [f"{shown(name)} ({detector})" for name, detector in series.poisoned[:5]],
    }


def _reference(series: object) -> Document:
    return {
        "reference": getattr(series, "reference_kind", "none"),
        "rival": shown(rival) if (rival := getattr(series, "rival", None)) else None,
    }


def _slices(model: ModelSummary, live: Sequence[str]) -> list[Document]:
    found = [
        (series.version, each)
        for series in model.series
        if series.version in live and not series.silent
        for each in series.slices
    ]
    found.sort(key=lambda pair: -(pair[1].severity or 0.0))
    return [
        {
            "version": shown(version),
            "segment": shown(each.segment),
            "value": shown(each.value),
            "n": each.n,
            "errors": each.error_ratio,
            "severity": each.severity,
            "feature": shown(each.feature) if each.feature else None,
        }
        for version, each in found[:MOST_SLICES]
    ]


def _hints(views: Sequence[ModelView], live: Sequence[str]) -> Iterator[str]:
    for view in views:
        for series in view.series:
            if series.version in live:
                yield from (said(hint) for hint in series.hints)
                for feature in series.features:
                    yield from (said(f"{feature.name}: {hint}") for hint in feature.hints)
