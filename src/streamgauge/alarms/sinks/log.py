"""The sink that needs nothing: a line in the notifier's own log."""

from __future__ import annotations

import logging

from streamgauge.alarms.notice import lines
from streamgauge.alarms.sinks.base import ARRIVED, AlarmSink, Delivery
from streamgauge_client.events import AlarmEvent

logger = logging.getLogger(__name__)

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class Log(AlarmSink, name="log"):
    """Writes each alarm as one line, at the level of its severity.

    An end is information, and so is that somebody looks after it.
    """

    async def send(self, alarm: AlarmEvent) -> Delivery:
        level = _LEVELS[alarm.severity] if alarm.status == "firing" else logging.INFO
        logger.log(level, "%s", " | ".join(lines(alarm)))
        return ARRIVED
