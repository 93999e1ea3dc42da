"""An edge as the event that leaves: ids, sentence and all the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from streamgauge.alarms import sentence
from streamgauge.alarms.finding import Finding
from streamgauge.alarms.identity import alarm_id, fingerprint
from streamgauge.alarms.notice import printable
from streamgauge.alarms.policy import ACCEPTED, GONE, Edge
from streamgauge_client.events import (
    AlarmDetector,
    AlarmEvent,
    AlarmEvidence,
    AlarmReference,
    AlarmWindow,
    FeatureEvidence,
    Position,
    SliceEvidence,
)

#: Features named in an alarm, and those shown with a histogram.
MOST_FEATURES = 10
MOST_HISTOGRAMS = 3

Severity = Literal["info", "warning", "critical"]


def alarm_event(
    edge: Edge,
    *,
    model: str,
    topic: str,
    partition: int,
    severity: Severity,
    reference: tuple[str, int] | None = None,
    detections: Mapping[str, Sequence[float]] | None = None,
    owner: str | None = None,
    runbook_url: str | None = None,
    objective: str | None = None,
    contingency: str | None = None,
    earliest_step: str | None = None,
    slices: Sequence[SliceEvidence] = (),
    hints: Sequence[str] = (),
    changed_this_week: bool | None = None,
) -> AlarmEvent:
    """Make the event of an edge. A pure function: the same edge gives the same bytes."""
    scope = {"step": edge.step} if edge.step else {}
    firing = edge.status == "firing"
    lead = edge.findings[0] if edge.findings else None
    # Young references are sure of large effects only.
    if lead is not None and all(finding.mild for finding in edge.findings):
        severity = "info"
    summary = (
        sentence.firing(
            model,
            edge.kind,
            edge.findings,
            version=edge.span.version,
            earlier_step=earliest_step if earliest_step != edge.step else None,
        )
        if firing
        else sentence.resolved(
            model,
            edge.kind,
            edge.lead,
            edge.span.end - edge.since,
            gone=edge.reason == GONE,
            accepted=edge.reason if edge.reason.startswith(ACCEPTED) else "",
        )
    )
    return AlarmEvent(
        alarm_id=alarm_id(
            topic=topic,
            partition=partition,
            model=model,
            kind=edge.kind,
            scope=scope,
            edge=edge.status,
            window_end=edge.span.end,
        ),
        fingerprint=fingerprint(model, edge.kind, scope, partition=partition),
        status=edge.status,
        severity=severity,
        severity_ratio=lead.severity if lead else None,
        kind=edge.kind,
        scope=scope,
        model=model,
        version=edge.span.version,
        shard=partition,
        feature=edge.lead or None,
        rule=lead.rule if lead else None,
        detector=AlarmDetector(name=lead.rule) if lead else None,
        metric=lead.rule if lead else None,
        value=lead.value if lead else None,
        threshold=lead.threshold if lead else None,
        direction=lead.direction if lead else None,
        effect_size=lead.value if lead else None,
        window=AlarmWindow(start=edge.span.start, end=edge.span.end, n=edge.span.n),
        reference=AlarmReference(id=reference[0], n=reference[1]) if reference else None,
        starts_at=edge.since,
        ends_at=None if firing else edge.span.end,
        reason=edge.reason,
        summary=printable(summary)[:1000],
        runbook_url=runbook_url,
        owner=owner,
        objective=objective,
        contingency=contingency if firing else None,
        earliest_step=earliest_step if firing else None,
        affected=edge.affected if firing else None,
        evidence=_evidence(edge, topic, partition, detections or {}).model_copy(
            update={
                "slices": list(slices),
                "hints": [printable(hint) for hint in hints],
                "changed_this_week": changed_this_week,
            }
            if firing
            else {}
        ),
    )


def _evidence(
    edge: Edge, topic: str, partition: int, detections: Mapping[str, Sequence[float]]
) -> AlarmEvidence:
    if not edge.findings:
        return AlarmEvidence()
    named = edge.findings[:MOST_FEATURES]
    excess = [max((finding.severity or 0.0) - 1.0, 0.0) for finding in edge.findings]
    whole = sum(excess) or 1.0
    involved = {finding.target for finding in named}
    return AlarmEvidence(
        top_features=[_feature(f, e / whole) for f, e in zip(named, excess, strict=False)],
        histograms={
            f.target: f.histogram for f in named[:MOST_HISTOGRAMS] if f.histogram is not None
        },
        positions=[
            Position(topic=topic, partition=partition, offset=offset)
            for offset in sorted({edge.first_offset, edge.span.first_offset, edge.span.last_offset})
            if offset >= 0
        ],
        detections={
            series: list(times) for series, times in detections.items() if series in involved
        },
    )


def _feature(finding: Finding, contribution: float) -> FeatureEvidence:
    return FeatureEvidence(
        feature=finding.target,
        detector=finding.rule,
        value=finding.value or 0.0,
        threshold=finding.threshold or 0.0,
        severity_ratio=finding.severity or 0.0,
        contribution=contribution,
        change=finding.change,
        others=dict(finding.others),
    )
