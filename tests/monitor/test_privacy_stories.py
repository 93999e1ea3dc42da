"""What a spec's privacy section keeps back is in no state, no view and no alarm."""

from __future__ import annotations

import struct
from typing import Any

import orjson
import pytest

from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor
from tests.monitor.telling import PREDICTIONS, alarms, series, spec, told

CANARIES = [b"canary-mail", b"canary-name", b"canary-note"]
PRIVACY = {
    "email": "hash",
    "name": "drop",
    "note": "drop",
    "age": {"bucket": 10},
    "income": {"bucket": [0, 1_000, 5_000]},
}


def personal(i: int, fields: dict[str, Any]) -> dict[str, Any]:
    fields["features"] |= {
        "email": f"canary-mail-{i % 3}@example.com",
        "name": "canary-name",
        "note": f"canary-note-{i}",
        "age": 40.0 + i % 10 + 0.123456,
        "income": 700.0 if i < 6_000 else 9_999.0,
    }
    if i >= 6_000:
        # New categories are named in alarms, so they are where a value would show.
        fields["features"]["email"] = "canary-mail-new@example.com"
    return {}


def everything(subject: PartitionMonitor, log: list[LogRecord]) -> tuple[list[Any], list[bytes]]:
    """Alarms, and all bytes that leave the worker on the way."""
    events: list[Any] = []
    left: list[bytes] = []
    for start in range(0, len(log), 500):
        effects = drive(subject, log[start : start + 500])
        events += effects.events
        changes = subject.dirty()
        left += [*changes.blobs.values(), *changes.views.values()]
        left += [event.model_dump_json().encode() for event in effects.events]
    return events, left


def test_raw_values_are_nowhere_while_they_are_watched_all_the_same() -> None:
    subject = monitor(spec(privacy=PRIVACY))
    log = stream(9_000, rate=100.0, features=2, fault=personal)
    events, left = everything(subject, log)
    # Given values that moved, the alarms say so
    assert {alarm.feature for alarm in alarms(events)} & {"email", "income"}
    # And what leaves the worker holds none of them
    whole = b"\n".join(left)
    for canary in CANARIES:
        assert canary not in whole
    # Neither as text nor as a number
    assert b"123456" not in whole
    for age in range(40, 50):
        assert not any(struct.pack(form, age + 0.123456) in whole for form in ("<d", ">d"))
    named = {feature.name for feature in _last(subject, log)}
    assert {"email", "age", "income"} <= named and not {"name", "note"} & named


def test_without_the_section_the_canaries_are_found() -> None:
    # The test above can fail: this is what it looks for.
    subject = monitor(spec())
    _, left = everything(subject, stream(1_000, rate=100.0, features=2, fault=personal))
    assert b"canary-mail" in b"\n".join(left)


def test_texts_without_any_section_leave_nothing_but_their_length() -> None:
    # Given a text, which is free, and not once the same
    subject = monitor()

    def talk(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["note"] = f"secret-{i} of somebody"
        return {}

    log = stream(6_000, rate=100.0, features=2, fault=talk)
    drive(subject, log[:2_000])
    subject.dirty()
    _, left = everything(subject, log[2_000:])
    assert b"secret-" not in b"\n".join(left)


@pytest.mark.parametrize("kind", ["prediction", "prediction_batch"])
def test_batches_are_kept_back_as_single_events_are(kind: str) -> None:
    subject = monitor(spec(privacy=PRIVACY))
    if kind == "prediction":
        log = stream(600, rate=100.0, features=2, fault=personal)
    else:
        log = [_batch(i) for i in range(60)]
    _, left = everything(subject, log)
    whole = b"\n".join(left)
    assert not any(canary in whole for canary in CANARIES)


def test_a_model_with_the_section_stays_as_silent_as_one_without() -> None:
    log = stream(5_900, rate=100.0, features=2, fault=personal)
    assert told(everything(monitor(spec(privacy=PRIVACY)), log)[0]) == []


def _batch(i: int) -> LogRecord:
    n = 10
    event = {
        "model": "fraud",
        "version": "1",
        "prediction_id": [f"b{i}-{row}" for row in range(n)],
        "timestamp": START + i / 10,
        "output": [0.5] * n,
        "features": {
            "email": [f"canary-mail-{row}@example.com" for row in range(n)],
            "name": ["canary-name"] * n,
            "note": [f"canary-note-{row}" for row in range(n)],
            "age": [40.123456] * n,
        },
    }
    headers = (("ce_type", b"streamgauge.prediction_batch.v1"),)
    return LogRecord(PREDICTIONS, 0, i, START + i / 10, b"fraud", headers, orjson.dumps(event))


def _last(subject: PartitionMonitor, log: list[LogRecord]) -> Any:
    drive(subject, [log[-1]._replace(timestamp=(log[-1].timestamp or 0) + 1)])
    return series(subject).features
