"""An alarm as Alertmanager's webhook sends it, so that its receivers can take ours."""

from __future__ import annotations

from typing import Any

from streamgauge.alarms import notice
from streamgauge_client.events import AlarmEvent

#: What Alertmanager writes for an alert that has not ended.
NEVER = "0001-01-01T00:00:00Z"


def webhook_body(alarm: AlarmEvent) -> dict[str, Any]:
    """The body of a webhook, version 4, with this one alarm in it.

    Labels hold what stays the same from firing to resolved, because receivers pair the two by
    them; all else is an annotation.

    References
    ----------
    Alertmanager's documentation, webhook_config.
    """
    labels = _texts(
        {
            "alertname": alarm.kind,
            "model": alarm.model,
            "severity": alarm.severity,
            "owner": alarm.owner,
            "shard": alarm.shard,
            **{f"segment_{name}": value for name, value in (alarm.segment or {}).items()},
            **alarm.scope,
        }
    )
    annotations = _texts(
        {
            "summary": alarm.summary,
            "description": notice.text(alarm),
            "runbook_url": alarm.runbook_url,
            "dashboard_url": alarm.dashboard_url,
            "contingency": alarm.contingency,
            "objective": alarm.objective,
            "version": alarm.version,
            "feature": alarm.feature,
            "metric": alarm.metric,
            "value": alarm.value,
            "threshold": alarm.threshold,
            "affected": alarm.affected,
            "alarm_id": alarm.alarm_id,
        }
    )
    status = "resolved" if alarm.status == "resolved" else "firing"
    ended = alarm.ends_at if status == "resolved" else None
    started = _started(alarm)
    return {
        "version": "4",
        "groupKey": f"streamgauge/{alarm.fingerprint}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "streamgauge",
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": alarm.dashboard_url or "",
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": notice.show_time(started) if started is not None else NEVER,
                "endsAt": notice.show_time(ended) if ended is not None else NEVER,
                "generatorURL": alarm.dashboard_url or "",
                "fingerprint": alarm.fingerprint,
            }
        ],
    }


def _started(alarm: AlarmEvent) -> float | None:
    if alarm.starts_at is not None or alarm.window is None:
        return alarm.starts_at
    return alarm.window.start


def _texts(given: dict[str, Any]) -> dict[str, str]:
    """Values as text, without those that are not there."""
    return {
        name: f"{value:.6g}" if isinstance(value, float) else str(value)
        for name, value in given.items()
        if value is not None and value != ""
    }
