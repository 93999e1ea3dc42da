"""An alarm about truth: how many decisions were wrong since when, and among which predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streamgauge.alarms.event import alarm_event
from streamgauge.alarms.policy import Edge
from streamgauge.alarms.sentence import SCORE, moment
from streamgauge.metrics.error_tags import TagError
from streamgauge.monitor.contingency import contingency_for
from streamgauge.monitor.truth.series import Closed, TruthSeries
from streamgauge.monitor.truth.window import TruthWindow
from streamgauge.specs.owners import owner_at
from streamgauge_client.events import AlarmEvent, SliceEvidence

if TYPE_CHECKING:
    from streamgauge.monitor.model_monitor import ModelMonitor

MOST_SLICES = 10
MOST_TAGS = 3
#: A slice of fewer labelled predictions is not named.
FEWEST = 30


def truth_event(
    monitor: ModelMonitor, edge: Edge, series: TruthSeries, closed: Closed
) -> AlarmEvent:
    """The alarm of an edge that a window of released predictions made."""
    spec = monitor.configuration.spec
    rule = edge.findings[0].rule if edge.findings else ""
    hints: list[str] = []
    if edge.status == "firing":
        # Of a poor score nobody knows whether the decision was wrong.
        if not all(each.target.startswith(SCORE) for each in edge.findings):
            wrong = series.errors_since(edge.since, edge.span.end)
            edge = replace(edge, affected=wrong)
            hints = [f"{wrong} wrong decisions since {moment(edge.since)}"]
        hints += _tag_hints(closed.window)
    return alarm_event(
        edge,
        model=monitor.model,
        topic=monitor.topic,
        partition=monitor.partition,
        severity=spec.defaults.severity,
        reference=("usual", closed.usual),
        detections=closed.detections,
        owner=owner_at(spec, edge.span.end),
        runbook_url=spec.runbook_url,
        objective=spec.project.objective,
        contingency=contingency_for(spec, edge.kind, rule, edge.lead),
        slices=_slices(closed.window) if edge.status == "firing" else (),
        hints=hints,
    )


def _tag_hints(window: TruthWindow) -> list[str]:
    return [_told(each) for each in window.tags.ranked(k=MOST_TAGS) if each.impact > 0]


def _told(tag: TagError) -> str:
    return (
        f"{tag.tag}: wrong in {100 * tag.error_ratio:.0f} % of {tag.n:.0f}; as good as the rest, "
        f"all errors would fall by {100 * tag.impact:.1f} points"
    )


def _slices(window: TruthWindow) -> list[SliceEvidence]:
    """Slices with more errors than the whole, the worst first; severity is their ratio."""
    whole = window.errors / window.judged if window.judged else 0.0
    found = []
    for (segment, value), part in sorted(window.slices.items()):
        if part.scored >= FEWEST and whole > 0:
            ratio = part.errors / part.scored
            if ratio > whole:
                found.append(
                    SliceEvidence(
                        segment=segment,
                        value=value,
                        n=round(part.scored),
                        severity_ratio=ratio / whole,
                        feature="errors",
                        change=f"wrong in {100 * ratio:.0f} % of {part.scored:.0f}",
                    )
                )
    return sorted(found, key=lambda each: -each.severity_ratio)[:MOST_SLICES]
