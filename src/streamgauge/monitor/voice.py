"""What a model's monitor says: edges and silences as alarms, with everything known around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamgauge.alarms.event import alarm_event
from streamgauge.alarms.identity import fingerprint
from streamgauge.alarms.policy import Edge
from streamgauge.alarms.sentence import duration
from streamgauge.alarms.silence import silence_event
from streamgauge.monitor.contingency import contingency_for
from streamgauge.monitor.hints import hints_of
from streamgauge.monitor.judge import changed_this_week
from streamgauge.monitor.silence import Gap
from streamgauge.specs.owners import owner_at
from streamgauge.specs.sections import Severity
from streamgauge_client.events import AlarmEvent, SliceEvidence

if TYPE_CHECKING:
    from streamgauge.monitor.contents import SeriesCounts
    from streamgauge.monitor.model_monitor import ModelMonitor
    from streamgauge.monitor.series import Series

#: Slices that an alarm names.
MOST_SLICES = 10
#: A heartbeat is younger than this where its process lives.
ALIVE_SECONDS = 60.0


def edge_event(
    monitor: ModelMonitor, edge: Edge, series: Series | None, contents: SeriesCounts | None = None
) -> AlarmEvent:
    """The alarm of an edge.

    ``series`` is the one whose window made it, ``contents`` that window; None for behaviour.
    """
    spec = monitor.configuration.spec
    lead = series.targets.get(edge.lead) if series is not None else None
    reference = lead.reference if lead is not None else None
    counts = contents.targets.get(edge.lead) if contents is not None else None
    rule = edge.findings[0].rule if edge.findings else ""
    return alarm_event(
        edge,
        model=monitor.model,
        topic=monitor.topic,
        partition=monitor.partition,
        severity=_severity(monitor, edge),
        reference=(spec.reference.id or "learned", reference.n) if reference else None,
        detections=series.detectors.times if series is not None else None,
        owner=owner_at(spec, edge.span.end),
        runbook_url=spec.runbook_url,
        objective=spec.project.objective,
        contingency=contingency_for(spec, edge.kind, rule, edge.lead),
        earliest_step=_earliest_step(monitor, edge.step),
        slices=_slices(series),
        hints=(
            hints_of(series, contents, edge.findings)
            if series is not None and contents is not None
            else ()
        ),
        changed_this_week=(
            changed_this_week(lead, counts) if lead is not None and counts is not None else None
        ),
    )


def silence_edge(
    monitor: ModelMonitor, step: str, gap: Gap, *, ended: float | None = None
) -> AlarmEvent:
    """The alarm of a silence that begins, or, with ``ended``, that is over."""
    spec = monitor.configuration.spec
    declared = spec.silence_after
    usual = (
        f"at most {duration(declared)}"
        if declared is not None
        else f"at this hour usually {_pause(gap.usual)}"
    )
    return silence_event(
        "firing" if ended is None else "resolved",
        model=monitor.model,
        step=step,
        topic=monitor.topic,
        partition=monitor.partition,
        since=gap.since,
        noticed=gap.noticed,
        ended=ended,
        usual=usual,
        # Before a week has passed the first quiet Sunday is no news.
        severity=spec.defaults.severity if gap.settled else "info",
        owner=owner_at(spec, gap.noticed),
        runbook_url=spec.runbook_url,
        objective=spec.project.objective,
        contingency=contingency_for(spec, "staleness", "silence", step),
        clients=_clients(monitor, gap) if ended is None else "",
    )


def _pause(seconds: float) -> str:
    return "less than a second" if seconds < 1 else f"{duration(seconds)} at most"


def _clients(monitor: ModelMonitor, gap: Gap) -> str:
    """Whether the clients' processes live: no traffic is one thing, no process another."""
    # Not what was heard later, though it may be known by now.
    heard = monitor.clients.heard(gap.noticed)
    if heard is None:
        return ""
    if heard > gap.noticed - ALIVE_SECONDS:
        return "its clients are alive: there is no traffic, or it does not reach them"
    return f"its clients are silent too, since {duration(max(gap.noticed - heard, 0.0))}"


def _severity(monitor: ModelMonitor, edge: Edge) -> Severity:
    spec = monitor.configuration.spec
    if edge.status == "resolved":
        # As it fired: who listens from a severity on hears both edges or none.
        scope = {"step": edge.step} if edge.step else {}
        mark = fingerprint(monitor.model, edge.kind, scope, partition=monitor.partition)
        return monitor.alarms.severity(mark) or spec.defaults.severity
    rule = edge.findings[0].rule if edge.findings else ""
    if rule == "rule":
        named = edge.lead.removeprefix("rule ")
        return next((r.severity for r in spec.rules if r.name == named), spec.defaults.severity)
    own = spec.feature(edge.lead).new_category
    return own if own is not None and rule == "new_category" else spec.defaults.severity


def _earliest_step(monitor: ModelMonitor, step: str) -> str | None:
    """The first step of the pipeline that moved; None for a model of one step.

    The order is the spec's, else that in which steps first came in the log.
    """
    order = monitor.configuration.spec.steps or tuple(monitor.steps)
    if len(order) < 2 or step not in order:
        return None
    before = order[: order.index(step)]
    return next((each for each in before if monitor.policy.moves(each)), step)


def _slices(series: Series | None) -> list[SliceEvidence]:
    if series is None:
        return []
    return [
        SliceEvidence(
            segment=view.segment,
            value=view.value,
            n=view.n,
            severity_ratio=view.severity,
            feature=view.feature,
        )
        for view in series.last.slices[:MOST_SLICES]
        if view.severity is not None and view.severity > 1
    ]
