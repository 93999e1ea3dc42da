"""What people did about alarms, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from streamgauge.exposition.sheet import Sheet
from streamgauge.state.reader import Snapshot
from streamgauge.telemetry import models


def put_handled(sheet: Sheet, snapshot: Snapshot, admitted: Collection[str], *, now: float) -> None:
    """Put how many alarms are looked after or silenced, and how many were judged right or not.

    ``admitted`` are the models that are shown at all.
    """
    handled: Counter[tuple[str, str]] = Counter()
    for view in snapshot.models:
        for alarm in view.alarms:
            held = snapshot.handlings.get(alarm.fingerprint)
            if alarm.status == "firing" and held is not None and held.holds(alarm.alarm_id, now):
                handled[view.model, held.status] += 1
    for (model, status), n in handled.items():
        if model in admitted:
            sheet.gauge(models.ALARMS_HANDLED, n, model=model, status=status)
    judged = Counter((each.model, each.kind, each.right) for each in snapshot.verdicts)
    for (model, kind, right), n in judged.items():
        if model in admitted:
            verdict = "true" if right else "false"
            sheet.gauge(models.ALARMS_JUDGED, n, model=model, kind=kind, verdict=verdict)
