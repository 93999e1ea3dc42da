"""The screen of alarms: what is open, what resolved a short while ago, and on what evidence."""

from __future__ import annotations

from streamgauge.console.alarm_rows import alarm_commands, alarm_row, handled, verdict_row
from streamgauge.console.judgements import judgement_row, largest_moves
from streamgauge.console.names import shown
from streamgauge.console.scene import Document, Scene
from streamgauge.exposition.fleet import ModelSummary, shown_name
from streamgauge.state.views import AlarmView, HistogramView, JudgementView, ModelView

MOST_OPEN = 100
MOST_RESOLVED = 50
#: Judgements that are shown of one alarm.
MOST_EVIDENCE = 4


def alarms_document(scene: Scene) -> Document:
    """Open alarms with evidence and commands, resolved ones in short."""
    views: dict[str, list[ModelView]] = {}
    for view in scene.snapshot.models:
        views.setdefault(view.model, []).append(view)
    firing = _with(scene, "firing")
    resolved = _with(scene, "resolved")
    firing.sort(key=lambda pair: (-pair[1].severity_ratio, pair[1].starts_at))
    resolved.sort(key=lambda pair: -(pair[1].ends_at or 0.0))
    verdicts = {each.alarm_id: each for each in scene.snapshot.verdicts}
    return {
        **scene.head("alarms"),
        "open": [
            {
                **alarm_row(model.model, alarm),
                "verdict": verdict_row(verdicts.get(alarm.alarm_id)),
                "handled": handled(
                    alarm, scene.snapshot.handlings.get(alarm.fingerprint), now=scene.now
                ),
                "evidence": _evidence(views.get(model.model, []), alarm),
                "commands": alarm_commands(model.model, alarm, scene.place),
            }
            for model, alarm in firing[:MOST_OPEN]
        ],
        "more": max(0, len(firing) - MOST_OPEN),
        "resolved": [
            {
                **alarm_row(model.model, alarm),
                "verdict": verdict_row(verdicts.get(alarm.alarm_id)),
                "commands": alarm_commands(model.model, alarm, scene.place),
            }
            for model, alarm in resolved[:MOST_RESOLVED]
        ],
        "total": sum(sum(model.alarms_total.values()) for model in scene.models),
    }


def _with(scene: Scene, status: str) -> list[tuple[ModelSummary, AlarmView]]:
    return [
        (model, alarm) for model in scene.models for alarm in model.alarms if alarm.status == status
    ]


def _evidence(views: list[ModelView], alarm: AlarmView) -> Document | None:
    """What the views of now say of an alarm's cause: it may have moved since the alarm was made."""
    judged: list[tuple[str, JudgementView]] = []
    histogram: HistogramView | None = None
    for view in views:
        for series in view.series:
            for feature in series.features:
                if feature.name == alarm.feature:
                    judged += [(series.version, each) for each in feature.judgements]
                    histogram = _worse(histogram, feature.histogram)
            judged += [(series.version, each) for each in series.judgements]
        judged += (
            [(e.version, j) for e in view.truth.series for j in e.judgements]
            if (view.truth is not None)
            else []
        )
        judged += [("", each) for each in view.behaviour]
    speaking = [
        (version, each)
        for version, each in judged
        if each.kind == alarm.kind
        and each.severity is not None
        and alarm.feature in (None, each.target, shown_name(each.target, each))
    ]
    if not speaking:
        return None
    speaking.sort(key=lambda pair: -(pair[1].severity or 0.0))
    return {
        "judgements": [
            {"version": shown(version), **judgement_row(each)}
            for version, each in speaking[:MOST_EVIDENCE]
        ],
        "moves": largest_moves(histogram) if histogram is not None else [],
    }


def _worse(known: HistogramView | None, other: HistogramView | None) -> HistogramView | None:
    if known is None or other is None:
        return known or other
    return max(known, other, key=_distance)


def _distance(histogram: HistogramView) -> float:
    return sum(abs(p - q) for p, q in zip(histogram.reference, histogram.current, strict=False))
