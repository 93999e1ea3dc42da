"""What an alarm tells a learner, read from its record."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError

from streamgauge.processing import LogRecord
from streamgauge_client.events import AlarmEvent


class Told(NamedTuple):
    """One edge of an alarm. ``onset`` is since when, in seconds since 1970."""

    model: str
    kind: str
    fingerprint: str
    firing: bool
    onset: float | None
    feature: str | None
    value: float | None
    slices: tuple[str, ...]


def alarm_told(record: LogRecord) -> Told | None:
    """Read an edge of an alarm; None for what is none.

    What people do about an alarm is no edge: their word may come behind its end, and would open
    it again for ever.
    """
    try:
        event = AlarmEvent.model_validate_json(record.value or b"")
    except ValidationError:
        return None
    if event.status not in ("firing", "resolved"):
        return None
    return Told(
        event.model,
        event.kind,
        event.fingerprint,
        event.status == "firing",
        event.starts_at,
        event.feature,
        event.value,
        tuple(f"{each.segment}={each.value}" for each in event.evidence.slices),
    )
