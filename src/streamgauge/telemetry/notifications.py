"""Telemetry of the notifier: what became of alarms on their way to people."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

#: What became of an alarm at a sink: it arrived; it had arrived before; somebody wants to hear
#: nothing of it; the sink refused it, so trying again makes no sense; attempts or time ran out.
OUTCOMES = ("delivered", "duplicate", "silenced", "refused", "expired")

NOTIFICATIONS = Definition(
    "notifications",
    "counter",
    "Alarms by sink and by what became of them (delivered, duplicate, silenced, refused, expired).",
    ("sink", "outcome"),
    exposer="any",
)
NOTIFICATION_RETRIES = Definition(
    "notification_retries",
    "counter",
    "Attempts that failed and are made again, by sink.",
    ("sink",),
    exposer="any",
)
NOTIFICATIONS_WAITING = Definition(
    "notifications_waiting",
    "gauge",
    "Alarms that were read and have not yet reached the sink, nor been given up.",
    ("sink",),
    exposer="any",
)

NOTIFIER = (NOTIFICATIONS, NOTIFICATION_RETRIES, NOTIFICATIONS_WAITING)
