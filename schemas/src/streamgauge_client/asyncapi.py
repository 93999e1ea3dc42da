"""The contract as an AsyncAPI document, made of the topics and the models."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from streamgauge_client.events import EVENTS
from streamgauge_client.keys import MAX_KEY_BYTES
from streamgauge_client.topics import DEAD_LETTERS, DEFAULT_PREFIX, TOPICS, Topic

VERSION = "3.1.0"
_BINDINGS = "0.5.0"
_DEAD_LETTER = "dead_letter"
_DESCRIPTION = """\
What crosses Streamgauge's topics. Services publish predictions, labels and feedback;
whoever wants to know subscribes to alarms.

Records carry CloudEvents 1.0 in Kafka's binary mode; structured mode and bare JSON are read too.
Every producer uses the murmur2 partitioner (Java's and aiokafka's default, not librdkafka's),
or labels miss their predictions."""
#: What an event's records may say beside what CloudEvents require.
_HEADERS: Mapping[str, str] = {
    "ce_specversion": "Version of CloudEvents.",
    "ce_id": "The event's id; with ce_source it names the event for good.",
    "ce_type": "Which event it is, with its major version.",
    "ce_source": "Who sent it, as a URI reference.",
    "ce_time": "When it was sent, in RFC 3339; the event time where the event tells none.",
    "ce_subject": "The model.",
    "ce_sequence": "<producer>-<n>, counted by topic and key: a gap is a lost event.",
    "ce_sampledrate": "The event stands for so many; absent means 1.",
    "ce_causationid": "Of an alarm: the event that caused it.",
    "ce_traceparent": "The trace that the event comes from (W3C).",
    "traceparent": "The trace of this hop (W3C).",
    "content-type": "Of the value.",
}
_REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source")
_PATTERNS = {"ce_sequence": "^[0-9a-f]{16}-[0-9]+$", "ce_sampledrate": "^[1-9][0-9]*$"}
#: Headers that a dead letter has beside those of the record that it was.
DEAD_LETTER_HEADERS: Mapping[str, str] = {
    "streamgauge_reason": "Why: decode, schema, too_large, future or handler.",
    "streamgauge_error": "The reason in words, without the event's content.",
    "streamgauge_topic": "Where the record lay.",
    "streamgauge_partition": "Its partition.",
    "streamgauge_offset": "Its offset; topic, partition and offset name the letter.",
    "streamgauge_timestamp": "The record's timestamp.",
    "streamgauge_sha256": "Of the value.",
    "streamgauge_attempt": "How often it was tried.",
    "streamgauge_service": "Who could not take it.",
}
#: Where the record would not fit with these headers, it is cut, and its own headers are left out.
TRUNCATED_HEADER = "streamgauge_truncated"


def asyncapi(examples: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document as plain data.

    Parameters
    ----------
    examples
        An event's payload by its name, shown with its message.
    """
    topics = [topic for topic in TOPICS if _messages_on(topic)]
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Streamgauge",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": "localhost:9092", "protocol": "kafka"}},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {
            name: operation for topic in topics for name, operation in _operations(topic).items()
        },
        "components": {
            "messages": _messages(examples or {}),
            "schemas": _schemas(),
            "parameters": {
                "prefix": {
                    "description": "What all topics' names begin with; a tenant has its own.",
                    "default": DEFAULT_PREFIX,
                }
            },
        },
    }


def _messages_on(topic: Topic) -> tuple[str, ...]:
    """What lies on a topic. Snapshots are nobody's to read, and so in no contract."""
    if topic is DEAD_LETTERS:
        return (_DEAD_LETTER,)
    return (topic.event, *topic.others) if topic.event is not None else ()


def _channel(topic: Topic) -> dict[str, Any]:
    days = topic.retention_days
    return {
        "address": f"{{prefix}}.{topic.name}",
        "description": f"Keyed by {topic.key}.",
        "parameters": {"prefix": {"$ref": "#/components/parameters/prefix"}},
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages_on(topic)
        },
        "bindings": {
            "kafka": {
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": -1 if days is None else days * 86_400_000,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": _BINDINGS,
            }
        },
    }


def _operations(topic: Topic) -> dict[str, Any]:
    told = {}
    for action, verb, parties in (
        ("send", "writes", topic.producers),
        ("receive", "reads", topic.consumers),
    ):
        for party in parties:
            told[f"{party}.{action}.{topic.name}"] = {
                "action": action,
                "title": f"{party} {verb} {topic.name}",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "messages": [
                    {"$ref": f"#/channels/{topic.name}/messages/{name}"}
                    for name in _messages_on(topic)
                ],
                "tags": [{"name": party}],
            }
    return told


def _messages(examples: Mapping[str, Any]) -> dict[str, Any]:
    messages = {name: _message(name, examples.get(name)) for name in EVENTS}
    messages[_DEAD_LETTER] = {
        "name": _DEAD_LETTER,
        "title": "Dead letter",
        "summary": "A record that could not be taken: key, value and headers as they were.",
        "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
        "payload": {"description": "The original bytes, whatever they are."},
        "bindings": {"kafka": {"bindingVersion": _BINDINGS}},
    }
    return messages


def _message(name: str, example: Any) -> dict[str, Any]:
    event = EVENTS[name]
    summary, _, rest = (inspect.getdoc(event) or "").partition("\n")
    message: dict[str, Any] = {
        "name": f"streamgauge.{name}.v1",
        "title": event.__name__,
        "summary": summary,
        **({"description": rest.strip()} if rest.strip() else {}),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/EventHeaders"},
                {"properties": {"ce_type": {"const": f"streamgauge.{name}.v1"}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": "The model; `model/s` for one that is cut into shards.",
                    "maxLength": MAX_KEY_BYTES,
                },
                "bindingVersion": _BINDINGS,
            }
        },
    }
    if example is not None:
        message["examples"] = [{"name": "minimal", "payload": example}]
    return message


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {
        "EventHeaders": {
            "type": "object",
            "required": list(_REQUIRED),
            "properties": {name: _header(name, text) for name, text in _HEADERS.items()},
        },
        "DeadLetterHeaders": {
            "type": "object",
            "required": list(DEAD_LETTER_HEADERS),
            "properties": {
                name: {"type": "string", "description": text}
                for name, text in {
                    **DEAD_LETTER_HEADERS,
                    TRUNCATED_HEADER: "Bytes of a value that had to be cut.",
                }.items()
            },
        },
    }
    for event in EVENTS.values():
        schema = event.model_json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        for name, part in {**schema.pop("$defs", {}), event.__name__: schema}.items():
            if schemas.setdefault(name, part) != part:
                raise ValueError(f"two parts of events are called {name}; rename one")
    return dict(sorted(schemas.items()))


def _header(name: str, text: str) -> dict[str, Any]:
    header: dict[str, Any] = {"type": "string", "description": text}
    if name == "ce_specversion":
        header["const"] = "1.0"
    if name in _PATTERNS:
        header["pattern"] = _PATTERNS[name]
    return header
