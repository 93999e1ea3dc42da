"""An alarm as a person reads it: what, how much, since when, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime

from streamgauge_client.events import AlarmEvent

#: Features that are named one by one; the rest is in the alarm.
MOST_FEATURES = 3


def lines(alarm: AlarmEvent) -> list[str]:
    """The alarm in lines of plain text, the sentence first. Each holds printable text only.

    Names come from events, so from strangers: a line break in one must not begin a line of its
    own in somebody's log.
    """
    head = f"{alarm.status.upper()} {alarm.severity}: {alarm.summary}"
    told = [
        *(head, alarm.description, _handling(alarm)),
        *(*_evidence(alarm), _times(alarm), _place(alarm)),
    ]
    for name, value in (
        ("for", alarm.objective),
        ("owner", alarm.owner),
        ("runbook", alarm.runbook_url),
        ("dashboard", alarm.dashboard_url),
        ("what to do", alarm.contingency),
    ):
        told.append(f"{name}: {value}" if value else None)
    return [printable(line) for line in told if line]


def text(alarm: AlarmEvent) -> str:
    """All lines as one text."""
    return "\n".join(lines(alarm))


def printable(given: str) -> str:
    r"""Text without control characters.

    >>> printable("a\nb\x1b[2J")
    'a·b·[2J'
    """
    return "".join(char if char.isprintable() else "·" for char in given)


def show_time(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, to the second.

    >>> show_time(1790000000.25)
    '2026-09-21T14:13:20Z'
    """
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} s"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _handling(alarm: AlarmEvent) -> str:
    handling = alarm.handling
    if handling is None:
        return ""
    until = f" until {show_time(handling.until)}" if handling.until is not None else ""
    why = f": {alarm.reason}" if alarm.reason else ""
    return f"{alarm.status}{until} by {handling.by}{why}"


def _evidence(alarm: AlarmEvent) -> list[str]:
    found: list[str] = []
    if alarm.value is not None and alarm.threshold is not None:
        name = alarm.metric or alarm.rule or "value"
        found.append(f"how much: {name} {alarm.value:.4g}, threshold {alarm.threshold:.4g}")
    for feature in alarm.evidence.top_features[:MOST_FEATURES]:
        share = f" ({100 * feature.contribution:.0f} % of it)" if feature.contribution else ""
        found.append(f"{feature.feature}{share}: {feature.change or feature.detector}")
    for part in alarm.evidence.slices[:1]:
        found.append(f"most in {part.segment} = {part.value}")
    found += alarm.evidence.hints
    for name, values in alarm.evidence.changed_lineage.items():
        found.append(f"changed with it: {name} {' → '.join(values)}")
    return found


def _times(alarm: AlarmEvent) -> str:
    since = f"since {show_time(alarm.starts_at)}" if alarm.starts_at is not None else ""
    until = f"until {show_time(alarm.ends_at)}" if alarm.ends_at is not None else ""
    affected = f"{alarm.affected} predictions affected" if alarm.affected else ""
    return ", ".join(part for part in (since, until, affected) if part)


def _place(alarm: AlarmEvent) -> str:
    place = {"model": alarm.model, "version": alarm.version, "kind": alarm.kind, **alarm.scope}
    told = ", ".join(f"{name} {value}" for name, value in place.items() if value)
    first = alarm.earliest_step
    return f"{told}; the first step that moved: {first}" if first else told
