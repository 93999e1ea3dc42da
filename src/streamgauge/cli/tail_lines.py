"""How one record of a topic is shown: a line for people, or a JSON object for programs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from streamgauge.cli.alarm_lines import alarm_line, alarm_lines
from streamgauge.cli.output import printable, show_time

#: Most characters of one line for people.
_WIDTH = 400
_INDENT = "    "
_DEAD = "streamgauge_"


@dataclass(frozen=True, slots=True)
class Seen:
    """A record of the log as far as it can be read. ``event`` is None where it is not JSON."""

    topic: str
    partition: int
    offset: int
    timestamp: float | None
    key: str
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, message: Any) -> Seen:
        """Take over a message of the Kafka client."""
        kind, milliseconds = message.timestamp()
        value: bytes | None = message.value()
        return cls(
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            timestamp=milliseconds / 1000 if kind else None,
            key=_text(message.key()),
            value=value,
            headers={name: _text(content) for name, content in message.headers() or []},
            event=_event(value),
        )

    @property
    def model(self) -> str:
        """Whose it is: the event says it, else the key, without its shard."""
        if self.event is not None and isinstance(self.event.get("model"), str):
            return str(self.event["model"])
        head, slash, shard = self.key.rpartition("/")
        return head if slash and shard.isdigit() else self.key


def json_line(seen: Seen) -> str:
    """The record as one JSON object: its place in the log, and the event or the bytes."""
    document: dict[str, Any] = {
        "topic": seen.topic,
        "partition": seen.partition,
        "offset": seen.offset,
        "timestamp": seen.timestamp,
        "key": seen.key,
        "headers": dict(seen.headers),
    }
    if seen.event is not None:
        document["event"] = seen.event
    elif seen.value is None:
        document["event"] = None
    else:
        try:
            document["text"] = seen.value.decode()
        except UnicodeDecodeError:
            document["base64"] = base64.b64encode(seen.value).decode()
    return orjson.dumps(document).decode()


def text_line(stream: str, seen: Seen) -> str:
    """The record as a line for people."""
    event = seen.event
    place = f"{seen.partition}/{seen.offset}"
    head = f"{show_time(seen.timestamp)} {seen.model}"
    if stream == "dead-letters":
        body = _dead_letter(seen)
    elif event is None:
        body = f"not an event ({len(seen.value or b'')} bytes at {place})"
    else:
        body = _LINES[stream](event)
    return _cut(f"{head}  {body}")


def detail_lines(stream: str, seen: Seen) -> list[str]:
    """What is shown below the line, indented: of alarms all that helps whoever is called."""
    if stream != "alarms" or seen.event is None:
        return []
    return [_cut(f"{_INDENT}{line}") for line in alarm_lines(seen.event)]


def _cut(text: str) -> str:
    line = printable(text)
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _prediction(event: Mapping[str, Any]) -> str:
    if "prediction_id" not in event and "instance" in event:
        return f"heartbeat of {event.get('service')} {event['instance']}"
    parts = [f"{event.get('version', '?')} {event.get('status', 'ok')}"]
    if event.get("step"):
        parts.append(f"step={event['step']}")
    parts.append(f"output={_value(event.get('output'))}")
    if event.get("latency_ms") is not None:
        parts.append(f"{_value(event['latency_ms'])} ms")
    parts.append(_pairs(event.get("features")))
    return "  ".join(part for part in parts if part)


def _label(event: Mapping[str, Any]) -> str:
    revision = f"  revision {event['revision']}" if event.get("revision") else ""
    label = "withdrawn" if event.get("label") is None else f"label={_value(event['label'])}"
    return f"{event.get('prediction_id')}  {label}{revision}"


def _feedback(event: Mapping[str, Any]) -> str:
    about = event.get("prediction_id") or event.get("interaction_id")
    return f"{about}  {event.get('kind')}"


def _model(event: Mapping[str, Any]) -> str:
    reason = f"  ({event['reason']})" if event.get("reason") else ""
    return f"{event.get('version')} {event.get('action')}{reason}"


def _dead_letter(seen: Seen) -> str:
    # The payload may be anybody's data: people get the reason, and the place to look.
    told = {name: seen.headers.get(f"{_DEAD}{name}", "?") for name in ("reason", "error")}
    where = ("topic", "partition", "offset")
    source = "/".join(seen.headers.get(f"{_DEAD}{name}", "?") for name in where)
    return f"{told['reason']}  {source}  {len(seen.value or b'')} bytes  {told['error']}"


_LINES = {
    "predictions": _prediction,
    "labels": _label,
    "feedback": _feedback,
    "alarms": alarm_line,
    "models": _model,
}


def _event(value: bytes | None) -> Mapping[str, Any] | None:
    if value is None:
        return None
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    # CloudEvents in structured mode wraps the event.
    return data if "specversion" in document and isinstance(data, dict) else document


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, dict):
        score = value.get("score")
        return f"{value.get('label')}" + (f" ({_value(score)})" if score is not None else "")
    if isinstance(value, list):
        return f"[{len(value)} numbers]"
    return "null" if value is None else str(value)


def _pairs(features: Any) -> str:
    if not isinstance(features, dict):
        return ""
    return " ".join(f"{name}={_value(value)}" for name, value in list(features.items())[:12])


def _text(data: bytes | str | None) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else data or ""
