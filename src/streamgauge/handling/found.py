"""The alarms that somebody may mean, and whose each is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streamgauge.state.views import AlarmView, ModelView


class Found(NamedTuple):
    """An alarm, and whose it is."""

    model: str
    alarm: AlarmView


def known_alarms(views: Iterable[ModelView]) -> dict[str, Found]:
    """By id: what is open, and what resolved a short while ago."""
    return {alarm.alarm_id: Found(view.model, alarm) for view in views for alarm in view.alarms}
