"""Subscribes to the alarms topic as any team would, and keeps when each alarm arrived."""

from __future__ import annotations

from collections.abc import Mapping

from services.stack.demo.arrivals import Arrivals
from streamgauge_client import AlarmEvent, AlarmSubscription, alarms


class AlarmWatch(Arrivals[AlarmEvent]):
    """Alarms from now on, with the time at which each one arrived (seconds since 1970)."""

    def __init__(self, servers: str, *, topic_prefix: str, security: Mapping[str, str]) -> None:
        super().__init__("demo-alarms")
        self._subscription: AlarmSubscription = alarms(
            servers, topic_prefix=topic_prefix, timeout=0.5, kafka=security
        )

    def run(self) -> None:
        try:
            with self._subscription as subscription:
                while not self.stopped.is_set():
                    for alarm in subscription:
                        self.keep(alarm)
        except Exception as error:
            self.failure = error
