"""The alarm of a series from which nothing comes: an edge of its own, no window tells it."""

from __future__ import annotations

from typing import Literal

from streamgauge.alarms import sentence
from streamgauge.alarms.identity import alarm_id, fingerprint
from streamgauge.alarms.notice import printable
from streamgauge_client.events import AlarmEvent, AlarmEvidence

KIND = "staleness"


def silence_event(
    status: Literal["firing", "resolved"],
    *,
    model: str,
    step: str,
    topic: str,
    partition: int,
    since: float,
    noticed: float,
    ended: float | None,
    usual: str,
    severity: Literal["info", "warning", "critical"],
    owner: str | None = None,
    runbook_url: str | None = None,
    objective: str | None = None,
    contingency: str | None = None,
    clients: str = "",
) -> AlarmEvent:
    """Make the event of one edge; all times are seconds.

    ``noticed`` is when the gap became a silence: with ``since`` it makes the id, so that it is the
    same whether the silence was seen while it lasted or afterwards. ``usual`` and ``clients`` are
    words: what is normal, and whether the clients' processes are alive.
    """
    scope = {"step": step} if step else {}
    told = (
        sentence.silent(model, step, noticed - since, usual)
        if status == "firing"
        else sentence.resolved(model, KIND, "", (noticed if ended is None else ended) - since)
    )
    firing = status == "firing"
    end = noticed if ended is None else ended
    return AlarmEvent(
        alarm_id=alarm_id(
            topic=topic,
            partition=partition,
            model=model,
            kind=KIND,
            scope=scope,
            edge=status,
            window_end=noticed if firing else end,
        ),
        fingerprint=fingerprint(model, KIND, scope, partition=partition),
        status=status,
        severity=severity,
        severity_ratio=1.0 if firing else None,
        kind=KIND,
        scope=scope,
        model=model,
        shard=partition,
        rule="silence",
        value=noticed - since,
        threshold=noticed - since,
        direction="down",
        starts_at=since,
        ends_at=None if firing else end,
        reason="nothing came for longer than is usual" if firing else "predictions come again",
        summary=printable(told)[:1000],
        description=clients or None,
        runbook_url=runbook_url,
        owner=owner,
        objective=objective,
        contingency=contingency if firing else None,
        evidence=AlarmEvidence(),
    )
