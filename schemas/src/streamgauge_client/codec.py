"""The envelope: CloudEvents 1.0 in Kafka's binary mode, written and read.

Reading also accepts structured mode and bare JSON, because most people start with ``kcat``.
Nothing here reads a clock: the same event gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from pydantic import ValidationError

from streamgauge_client.events import EVENTS, AlarmEvent, Event, PredictionEvent
from streamgauge_client.topics import TOPICS

#: Header names and values, in the order in which they are sent. A list, because that is the one
#: form that both confluent-kafka and aiokafka take.
Headers = list[tuple[str, bytes]]

CONTENT_TYPE = ("content-type", b"application/json")
SPEC_VERSION = ("ce_specversion", b"1.0")
_TYPE_PREFIX = "streamgauge."
_MAJOR = ".v1"
_NAMES = {event: name for name, event in EVENTS.items()}
_EVENT_BY_TOPIC = {topic.name: topic.event for topic in TOPICS if topic.event is not None}


class Encoded(NamedTuple):
    """An event, ready to be produced. The key is the caller's to choose (``partition_key``)."""

    headers: Headers
    value: bytes


class DecodeError(ValueError):
    """A record is not an event of the contract; the message says why."""


def type_name(event: type[Event]) -> str:
    """The CloudEvents type of an event class.

    >>> type_name(PredictionEvent)
    'streamgauge.prediction.v1'
    """
    return f"{_TYPE_PREFIX}{event_name(event)}{_MAJOR}"


def event_name(event: type[Event]) -> str:
    """The short name of an event class: ``prediction``, ``label``."""
    return _NAMES[event]


def source_uri(service: str) -> str:
    """The ``ce_source`` of a service: a URI reference, whatever its name holds.

    >>> source_uri("check out")
    '/streamgauge/check%20out'
    """
    return f"/streamgauge/{quote(service, safe='')}"


def encode(
    event: Event,
    *,
    source: str,
    event_id: str | None = None,
    time: float | None = None,
    extensions: Mapping[str, str] | None = None,
) -> Encoded:
    """Headers and value of an event, in binary mode.

    Parameters
    ----------
    source
        A URI reference that names the sender; see ``source_uri``.
    event_id
        Default: the prediction's or the alarm's id, else a hash of the value.
    time
        Seconds since 1970; left out by default.
    extensions
        Further CloudEvents attributes, such as ``causationid``.
    """
    # Required fields stay even where they are null: a null label withdraws.
    value = event.model_dump_json(exclude_defaults=True).encode()
    headers = [
        SPEC_VERSION,
        ("ce_id", (event_id or _natural_id(event, value)).encode()),
        ("ce_type", type_name(type(event)).encode()),
        ("ce_source", source.encode()),
    ]
    if time is not None:
        stamp = datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")
        headers.append(("ce_time", stamp.encode()))
    if isinstance(model := getattr(event, "model", None), str):
        headers.append(("ce_subject", model.encode()))
    headers += [(f"ce_{name}", text.encode()) for name, text in (extensions or {}).items()]
    headers.append(CONTENT_TYPE)
    return Encoded(headers, value)


def decode(
    topic: str, headers: Iterable[tuple[str, bytes | None]] | None, value: bytes | None
) -> Event:
    """The event in a record. ``topic`` is its full name. Raises ``DecodeError``."""
    if value is None:
        raise DecodeError("the record has no value")
    attributes = {name.lower(): content for name, content in headers or () if content is not None}
    if attributes.get("content-type", b"").startswith(b"application/cloudevents"):
        envelope = _json_object(value)
        event = _event_of_type(str(envelope.get("type")))
        value = orjson.dumps(envelope.get("data"))
    elif (announced := attributes.get("ce_type")) is not None:
        event = _event_of_type(announced.decode("utf-8", "replace"))
    else:
        event = _event_of_topic(topic)
    try:
        return event.model_validate_json(value)
    except ValidationError as error:
        raise DecodeError(first_error(error)) from error


def _natural_id(event: Event, value: bytes) -> str:
    if isinstance(event, PredictionEvent):
        return event.prediction_id
    if isinstance(event, AlarmEvent):
        return event.alarm_id
    return hashlib.blake2b(value, digest_size=16).hexdigest()


def _event_of_type(announced: str) -> type[Event]:
    name = announced.removeprefix(_TYPE_PREFIX).removesuffix(_MAJOR)
    event = EVENTS.get(name)
    if event is None or announced != type_name(event):
        raise DecodeError(
            f"type {announced[:100]!r} is unknown; known are {_TYPE_PREFIX}<event>{_MAJOR} "
            f"with {', '.join(EVENTS)}"
        )
    return event


def event_of_topic(topic: str) -> str | None:
    """The name of the event that a topic is for. ``topic`` is its full name."""
    return _EVENT_BY_TOPIC.get(topic.rpartition(".")[2])


def _event_of_topic(topic: str) -> type[Event]:
    name = event_of_topic(topic)
    if name is None:
        raise DecodeError(f"no ce_type header, and topic {topic!r} does not tell the type")
    return EVENTS[name]


def _json_object(value: bytes) -> dict[str, Any]:
    try:
        envelope = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error}") from error
    if not isinstance(envelope, dict):
        raise DecodeError("a structured CloudEvent is a JSON object")
    return envelope


def first_error(error: ValidationError) -> str:
    """One line. It names the field and the rule, and never holds the event's content."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "event"
    return f"{where}: {first['msg']}"
