"""The alarms of a model that readers see: open ones, and those that resolved a short while ago."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, cast

from streamgauge.specs.sections import Severity
from streamgauge.state.views import AlarmView
from streamgauge_client.events import AlarmEvent

#: Resolved alarms that are still shown.
REMEMBERED = 20


class ShownAlarms:
    """Open and late alarms by fingerprint, and how many have fired by ``kind/severity``."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self._alarms: dict[str, AlarmView] = {}

    def __iter__(self) -> Iterator[AlarmView]:
        """The alarms in order of time.

        Not in the order in which they were told: a silence is told while it lasts or afterwards,
        and which of the two depends on how the log was cut.
        """
        return iter(in_order(self._alarms.values()))

    def severity(self, fingerprint: str) -> Severity | None:
        """How loud an open alarm is; None where there is none."""
        found = self._alarms.get(fingerprint)
        return cast(Severity, found.severity) if found is not None else None

    def take(self, event: AlarmEvent) -> None:
        """Show an edge."""
        before = self._alarms.pop(event.fingerprint, None)
        firing = event.status == "firing"
        if firing:
            key = f"{event.kind}/{event.severity}"
            self.totals[key] = self.totals.get(key, 0) + 1
        # A resolved edge carries no judgement: it ends the one that fired.
        ended = before if not firing else None
        self._alarms[event.fingerprint] = AlarmView(
            fingerprint=event.fingerprint,
            kind=event.kind,
            status="firing" if firing else "resolved",
            severity=ended.severity if ended else event.severity,
            severity_ratio=ended.severity_ratio if ended else event.severity_ratio or 0.0,
            summary=event.summary,
            feature=event.feature,
            starts_at=event.starts_at or 0.0,
            ends_at=event.ends_at,
            alarm_id=event.alarm_id,
        )
        resolved = [alarm for alarm in self if alarm.status == "resolved"]
        for alarm in resolved[:-REMEMBERED]:
            del self._alarms[alarm.fingerprint]

    def state(self) -> list[Any]:
        return [[alarm.model_dump() for alarm in self], dict(sorted(self.totals.items()))]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        alarms, made.totals = state
        made._alarms = {each["fingerprint"]: AlarmView(**each) for each in alarms}
        return made


def in_order(alarms: Iterable[AlarmView]) -> list[AlarmView]:
    """Alarms in order of time: an open one by its beginning, a resolved one by its end."""
    return sorted(alarms, key=_moment)


def _moment(alarm: AlarmView) -> tuple[float, str]:
    return alarm.starts_at if alarm.ends_at is None else alarm.ends_at, alarm.fingerprint
