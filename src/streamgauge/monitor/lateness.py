"""The share of a model's events that come after their window had closed."""

from __future__ import annotations

from typing import Any, Self

from streamgauge.alarms.finding import Finding
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.judge import fault

#: The target of its findings.
TIMESTAMP = "timestamp"


class Lateness:
    """Counts events and late ones; what is not exceptional becomes usual."""

    def __init__(self) -> None:
        self.total = 0
        self._events = self._late = 0
        self._usual = BaselineRatio()

    def take(self, events: int, late: int) -> None:
        """Take a batch's events, and how many of them were late."""
        self.total += late
        self._events += events
        self._late += late

    def judge(self, *, least: int, at: float, settles_after: float) -> list[Finding]:
        """Judge what came since the last time, once there are ``least`` events."""
        n, late, usual = self._events, self._late, self._usual
        if n < least:
            return []
        self._events = self._late = 0
        value = late / n
        if not usual.believed:
            found = Finding(TIMESTAMP, "data_quality", "late", "warming", n=n, value=value)
        else:
            found = fault(TIMESTAMP, "late", value, usual.threshold(n), n=n, before=usual.ratio)
        if not found.exceeds:
            usual.add(late, n, at=at, settles_after=settles_after)
        return [found]

    def state(self) -> list[Any]:
        return [self.total, self._events, self._late, self._usual.state()]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.total, made._events, made._late = state[:3]
        made._usual = BaselineRatio.from_state(state[3])
        return made
