"""Alarms as a screen lists them, and as a shell would look for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from streamgauge.console.names import command, key_of, said, shown
from streamgauge.console.scene import Document, Place
from streamgauge.exposition.fleet import ModelSummary
from streamgauge.state.handlings import Handling, Verdict
from streamgauge.state.views import AlarmView


def alarm_rows(
    models: Iterable[ModelSummary], *, status: Literal["firing", "resolved"], most: int
) -> list[Document]:
    """Open ones by severity, resolved ones by when they ended."""
    found = [
        (model.model, alarm) for model in models for alarm in model.alarms if alarm.status == status
    ]
    if status == "firing":
        found.sort(key=lambda pair: (-pair[1].severity_ratio, pair[1].starts_at))
    else:
        found.sort(key=lambda pair: -(pair[1].ends_at or 0.0))
    return [alarm_row(model, alarm) for model, alarm in found[:most]]


def handled(alarm: AlarmView, handling: Handling | None, *, now: float) -> Document | None:
    """Who looks after an open alarm, or silenced it until when."""
    if handling is None or alarm.status != "firing" or not handling.holds(alarm.alarm_id, now):
        return None
    return {
        "status": handling.status,
        "by": shown(handling.by),
        "until": handling.until,
        "reason": said(handling.reason) if handling.reason else None,
    }


def verdict_row(verdict: Verdict | None) -> Document | None:
    """Whether an alarm was right, and who said so."""
    if verdict is None:
        return None
    return {
        "right": verdict.right,
        "by": shown(verdict.by),
        "at": verdict.at,
        "reason": said(verdict.reason) if verdict.reason else None,
    }


def alarm_row(model: str, alarm: AlarmView) -> Document:
    """One alarm, with where its cause is looked at."""
    return {
        "key": key_of(model),
        "name": shown(model),
        "id": shown(alarm.alarm_id),
        "kind": shown(alarm.kind),
        "status": alarm.status,
        "severity": shown(alarm.severity),
        "ratio": alarm.severity_ratio,
        "summary": said(alarm.summary),
        "feature": shown(alarm.feature) if alarm.feature else None,
        "feature_key": key_of(alarm.feature) if alarm.feature else None,
        "starts_at": alarm.starts_at,
        "ends_at": alarm.ends_at,
    }


def alarm_commands(model: str, alarm: AlarmView, place: Place) -> list[Document]:
    """What to type for more of it; without what no shell could be given."""
    target = f"{model}.{alarm.feature}" if alarm.feature else model
    topic = f"{place.topic_prefix}.alarms"
    consume = command("kcat", "-C", "-e", "-q", "-b", place.bootstrap_servers, "-t", topic)
    find = command("grep", "-F", alarm.alarm_id)
    lines = [
        ("how it stands", command("streamgauge", "explain", target)),
        ("its events in the log", f"{consume} | {find}" if consume and find else None),
    ]
    if alarm.status == "firing":
        of = ("streamgauge", "alarms")
        silence = command(*of, "silence", alarm.alarm_id, "--for", "2h", "--reason", "known")
        lines += [
            ("look after it", command(*of, "acknowledge", alarm.alarm_id)),
            ("silence its cause", silence),
        ]
    judge = command("streamgauge", "alarms", "judge", alarm.alarm_id, "false")
    lines.append(("say that it was false", judge))
    return [{"what": what, "line": line} for what, line in lines if line]
