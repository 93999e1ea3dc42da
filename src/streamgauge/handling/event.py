"""That somebody took an alarm, or silenced its cause, as the event that others hear."""

from __future__ import annotations

from streamgauge.alarms.identity import handling_id
from streamgauge.alarms.notice import printable
from streamgauge.state.handlings import Handling
from streamgauge.state.views import AlarmView
from streamgauge_client.events import AlarmEvent, AlarmHandling


def handled_event(alarm: AlarmView, handling: Handling) -> AlarmEvent:
    """A pure function: the same handling gives the same id, so who hears it twice drops one.

    ``scope`` and evidence stay with the alarm, which has the same fingerprint.
    """
    return AlarmEvent.model_validate(
        {
            "alarm_id": handling_id(
                alarm.alarm_id, handling.status, by=handling.by, at=handling.at
            ),
            "fingerprint": alarm.fingerprint,
            "status": handling.status,
            "severity": alarm.severity,
            "severity_ratio": alarm.severity_ratio,
            "kind": alarm.kind,
            "scope": {},
            "model": handling.model,
            "summary": printable(alarm.summary),
            "feature": alarm.feature,
            "starts_at": alarm.starts_at,
            "reason": handling.reason or None,
            "handling": AlarmHandling(
                alarm_id=alarm.alarm_id, by=handling.by, at=handling.at, until=handling.until
            ),
        }
    )
