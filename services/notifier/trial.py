"""One test alarm through every sink, and what became of it: ``--test``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from services.notifier.sinks import ConfiguredSink
from streamgauge.alarms.notice import printable
from streamgauge_client import AlarmEvent


def trial_alarm(now: float) -> AlarmEvent:
    """An alarm that says of itself that it is none."""
    unique = uuid.uuid4().hex
    return AlarmEvent(
        alarm_id=f"test-{unique}",
        fingerprint=f"test-{unique}",
        status="firing",
        severity="info",
        kind="pipeline",
        scope={},
        model="_stream",
        summary="This is a test of the way that alarms take. Nothing is wrong.",
        starts_at=now,
    )


async def try_all(sinks: Sequence[ConfiguredSink], *, now: float) -> bool:
    """Send one alarm through each sink, once, and print what became of it; whether all took it."""
    alarm = trial_alarm(now)
    good = True
    for one in sinks:
        delivery = await one.sink.send(alarm)
        await one.close()
        what = "took it" if delivery.delivered else f"did not take it: {delivery.reason}"
        if not delivery.delivered and delivery.recoverable:
            what += " (an alarm would be tried again)"
        print(printable(f"sink {one.name} ({one.settings.type}) {what}"), flush=True)
        good &= delivery.delivered
    return good
