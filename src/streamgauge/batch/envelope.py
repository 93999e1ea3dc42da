"""From a record to what it carries: the event's name and its JSON.

Two envelopes are read: CloudEvents in Kafka's binary mode, and bare JSON without any ``ce_``
header, whose type follows from the topic.
"""

from __future__ import annotations

import re
from functools import lru_cache

from streamgauge.batch.limits import Refused, check_size
from streamgauge.processing import LogRecord
from streamgauge_client.events import EVENTS
from streamgauge_client.topics import PREDICTIONS, SOURCES

#: Events that live on a source topic, the one that bare JSON means first.
_ON_TOPIC: dict[str, tuple[str, ...]] = {
    topic.name: ((topic.event,) if topic is not PREDICTIONS else ("prediction", "telemetry"))
    for topic in SOURCES
    if topic.event
}
#: A type as one may be shown; anything else may be somebody's data in the wrong place.
_SHOWABLE = re.compile(rb"[a-z][a-z0-9_.-]{0,63}")
_FRAMING_BYTES = 5


def unwrap(record: LogRecord) -> tuple[str, bytes]:
    """Tell an event's name and find its JSON.

    Raises ``Refused`` (reasons decode, schema, too_large).
    """
    bare, by_type = _events_on(record.topic)
    # A loop that ends at the type is three times cheaper than a dictionary of all headers.
    for name, ce_type in record.headers:
        if name == "ce_type":
            event = by_type.get(ce_type)
            break
    else:
        if record.headers:
            _check_bare(record)
        event = bare
    if event is None:
        raise _misplaced(record.topic, ce_type)
    value = record.value
    if value is None:
        raise Refused("decode", "null value; a tombstone deletes nothing here, send a JSON object")
    check_size(value)
    # No JSON begins with a zero byte, so this can only be a Schema Registry serializer's.
    if value[:1] == b"\0":
        return event, _unframed(value)
    return event, value


def attribute(record: LogRecord, name: str) -> bytes | None:
    """A header of CloudEvents, like ``ce_time`` or ``ce_id``, as its bytes came."""
    return next((value for key, value in record.headers if key == name), None)


@lru_cache(maxsize=64)
def _events_on(topic: str) -> tuple[str, dict[bytes, str]]:
    """What bare JSON means on a topic, and the topic's events by their ``ce_type``."""
    events = _ON_TOPIC.get(topic.rpartition(".")[2])
    if events is None:
        known = ", ".join(sorted(_ON_TOPIC))
        raise Refused("schema", f"no events are read from this topic; known topics: {known}")
    return events[0], {_type(event).encode(): event for event in events}


def _type(event: str) -> str:
    return f"streamgauge.{event}.v1"


def _check_bare(record: LogRecord) -> None:
    """Refuse what has no type and is no bare JSON either."""
    content_type = attribute(record, "content-type") or b""
    if content_type.strip().lower().startswith(b"application/cloudevents"):
        raise Refused(
            "schema",
            "CloudEvents in structured mode are not read;"
            " send binary mode (ce_ headers, the data as value) or bare JSON",
        )
    if any(name.startswith("ce_") for name, _ in record.headers):
        raise Refused(
            "schema",
            "ce_type: missing; binary mode needs it, and bare JSON has no ce_ headers at all",
        )


def _unframed(value: bytes) -> bytes:
    payload = value[_FRAMING_BYTES:]
    if not payload.lstrip().startswith(b"{"):
        raise Refused(
            "decode",
            "Schema Registry framing without JSON behind it; use the JSON Schema serializer",
        )
    return payload


def _misplaced(topic: str, ce_type: bytes) -> Refused:
    shown = "a type of another form"
    if ce_type and _SHOWABLE.fullmatch(ce_type):
        shown = ce_type.decode()
    name = topic.rpartition(".")[2]
    here = " or ".join(_type(event) for event in _ON_TOPIC[name])
    if shown in map(_type, EVENTS):
        return Refused("schema", f"ce_type: {shown} does not belong on {name}; expected {here}")
    known = ", ".join(map(_type, EVENTS))
    return Refused("schema", f"ce_type: found {shown}, expected {here}; known types: {known}")
