"""From a record to what it carries: the event's name and its JSON.

Three envelopes are read: CloudEvents in Kafka's binary and structured modes, and bare JSON
without any ``ce_`` header, whose type follows from the topic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from streamgauge.batch import structured
from streamgauge.batch.limits import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    MAX_HEADERS,
    Refused,
    check_size,
)
from streamgauge.processing import LogRecord
from streamgauge_client.events import EVENTS
from streamgauge_client.topics import SOURCES

#: Events that live on a source topic, the one that bare JSON means first.
_ON_TOPIC: dict[str, tuple[str, ...]] = {
    topic.name: (topic.event, *topic.others) for topic in SOURCES if topic.event
}
#: The topic of each event that is read.
HOMES: dict[str, str] = {event: topic for topic, events in _ON_TOPIC.items() for event in events}
#: A type as one may be shown; anything else may be somebody's data in the wrong place.
_SHOWABLE = re.compile(rb"[a-z][a-z0-9_.-]{0,63}")
_FRAMING_BYTES = 5
_MOST_BYTES = {"prediction_batch": MAX_BATCH_BYTES}
#: How the headers of most records in binary mode end, our client's among them.
_BINARY = ("content-type", b"application/json")


def unwrap(record: LogRecord) -> tuple[str, bytes]:
    """Tell an event's name and find its JSON.

    Raises ``Refused`` (reasons decode, schema, too_large).
    """
    if len(record.headers) > MAX_HEADERS:
        raise Refused(
            "too_large",
            f"the record has {len(record.headers):,} headers, at most {MAX_HEADERS:,} are taken",
        )
    bare, by_type = _events_on(record.topic)
    # The content type decides between the modes, also where there are headers of both.
    if record.headers and record.headers[-1] != _BINARY and _is_structured(record):
        return _opened(record, by_type)
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
    return event, _value(record, event)


def attribute(record: LogRecord, name: str) -> bytes | None:
    """An attribute of CloudEvents, like ``ce_time`` or ``ce_id``, in whichever mode it came."""
    return next((value for key, value in attributes(record) if key == name), None)


def attributes(record: LogRecord) -> Sequence[tuple[str, bytes]]:
    """The record's headers; in structured mode the envelope's attributes in their place.

    So ``ce_time``, ``ce_sequence`` or ``ce_sampledrate`` are found under one name in both modes.
    """
    headers = record.headers
    if headers and headers[-1] != _BINARY:
        try:
            if _is_structured(record):
                others = [header for header in headers if not header[0].startswith("ce_")]
                whole = _value(record, "prediction_batch")
                return [*structured.attributes(whole).items(), *others]
        except Refused:
            pass
    return headers


def _value(record: LogRecord, event: str = "") -> bytes:
    value = record.value
    if value is None:
        raise Refused("decode", "null value; a tombstone deletes nothing here, send a JSON object")
    check_size(value, most=_MOST_BYTES.get(event, MAX_EVENT_BYTES))
    # No JSON begins with a zero byte, so this can only be a Schema Registry serializer's.
    return _unframed(value) if value[:1] == b"\0" else value


def _is_structured(record: LogRecord) -> bool:
    for name, content_type in record.headers:
        if name == "content-type":
            return structured.is_structured(content_type)
    return False


def _opened(record: LogRecord, by_type: Mapping[bytes, str]) -> tuple[str, bytes]:
    ce_type, payload = structured.type_and_data(_value(record, "prediction_batch"))
    event = by_type.get(ce_type)
    if event is None:
        raise _misplaced(record.topic, ce_type, field="type")
    # Only now is it known what it may weigh.
    _value(record, event)
    return event, payload


@lru_cache(maxsize=64)
def _events_on(topic: str) -> tuple[str, dict[bytes, str]]:
    """What bare JSON means on a topic, and the topic's events by their ``ce_type``."""
    events = _ON_TOPIC.get(topic.rpartition(".")[2])
    if events is None:
        known = ", ".join(sorted(_ON_TOPIC))
        raise Refused("schema", f"no events are read from this topic; known topics: {known}")
    return events[0], {_type(event).encode(): event for event in events}


def bare_event(topic: str) -> str:
    """What bare JSON means on a topic. Raises ``Refused`` where nothing is read."""
    return _events_on(topic)[0]


def _type(event: str) -> str:
    return f"streamgauge.{event}.v1"


def _check_bare(record: LogRecord) -> None:
    """Refuse what has no type and is no bare JSON either."""
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


def _misplaced(topic: str, ce_type: bytes, *, field: str = "ce_type") -> Refused:
    shown = "a type of another form"
    if ce_type and _SHOWABLE.fullmatch(ce_type):
        shown = ce_type.decode()
    name = topic.rpartition(".")[2]
    here = " or ".join(_type(event) for event in _ON_TOPIC[name])
    if shown in map(_type, EVENTS):
        return Refused("schema", f"{field}: {shown} does not belong on {name}; expected {here}")
    known = ", ".join(map(_type, EVENTS))
    return Refused("schema", f"{field}: found {shown}, expected {here}; known types: {known}")
