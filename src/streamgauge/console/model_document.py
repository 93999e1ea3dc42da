"""The screen of a model: its hour, what moved, how good its answers are, who learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamgauge.console.alarm_rows import alarm_rows
from streamgauge.console.feature_rows import feature_rows, output_rows
from streamgauge.console.history import LINES, STEP_SECONDS
from streamgauge.console.learning_rows import decisions, learning_rows
from streamgauge.console.names import command, said, shown
from streamgauge.console.ring import POINTS
from streamgauge.console.scene import Document, Scene
from streamgauge.console.truth_document import truth_document
from streamgauge.console.version_rows import version_rows
from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.remarks import remarks, unjudged
from streamgauge.state.views import ModelView

MOST_OUTPUTS = 4
MOST_SLICES = 12
MOST_CLIENTS = 20
MOST_HINTS = 10


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
        "features": feature_rows(scene, model, live),
        "outputs": [*output_rows(views, live)][:MOST_OUTPUTS],
        "truth": truth_document(model, views, live),
        "traffic": [
            {"version": shown(version), "rates": rates}
            for version, rates in scene.history.traffic(model.model).items()
        ],
        "versions": version_rows(scene, model, views, live),
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
