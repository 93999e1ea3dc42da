"""What stories are told with: specs, records of every kind, and what the monitor said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.keys import model_id
from streamgauge.state.views import ModelView, SeriesView
from streamgauge_client.events import AlarmEvent, Event
from tests.monitor.streams import QUICK, prediction

PREDICTIONS, FEEDBACK = "streamgauge.predictions", "streamgauge.feedback"


def spec(
    number: int = 1,
    at: float = 0.0,
    *,
    model: str = "fraud",
    over: Mapping[str, Any] = QUICK,
    **document: Any,
) -> Configuration:
    """A version of a model's spec over the tests' short windows."""
    made = ModelSpec.from_document({"model": model, **document}).over(over)
    return Configuration(made, number=number, effective_at=at)


def alarms(events: Iterable[Event]) -> list[AlarmEvent]:
    return [event for event in events if isinstance(event, AlarmEvent)]


def told(events: Iterable[Event]) -> list[tuple[str, str, str | None]]:
    """Kind, edge and feature of each alarm."""
    return [(alarm.kind, alarm.status, alarm.feature) for alarm in alarms(events)]


def view(subject: PartitionMonitor, model: str = "fraud") -> ModelView:
    return ModelView.model_validate_json(subject.dirty().views[model_id(model)])


def series(subject: PartitionMonitor, version: str = "1", step: str = "") -> SeriesView:
    return next(
        each for each in view(subject).series if (each.version, each.step) == (version, step)
    )


def merged(*streams: Sequence[LogRecord]) -> list[LogRecord]:
    """Streams as one log in order of time, numbered anew."""
    every = sorted((r for stream in streams for r in stream), key=lambda r: r.timestamp or 0.0)
    return [record._replace(offset=i) for i, record in enumerate(every)]


def headed(record: LogRecord, **attributes: str) -> LogRecord:
    """The record in CloudEvents' binary mode, with attributes like ``sequence``."""
    kind = "feedback" if record.topic == FEEDBACK else "prediction"
    headers = [("ce_type", f"streamgauge.{kind}.v1"), *attributes.items()]
    return record._replace(
        headers=tuple(
            (name if name.startswith("ce_") else f"ce_{name}", value.encode())
            for name, value in headers
        )
    )


def feedback(timestamp: float, kind: str, *, model: str = "fraud", **more: Any) -> LogRecord:
    event = {"model": model, "kind": kind, "timestamp": timestamp, **more}
    return LogRecord(FEEDBACK, 0, 0, timestamp, model.encode(), (), orjson.dumps(event))


def heartbeat(
    timestamp: float,
    *,
    model: str = "fraud",
    instance: str = "host-1-aaaaaaaa",
    sequence: int | None = None,
    headers: Mapping[str, str] | None = None,
    **measurements: float,
) -> LogRecord:
    event = {
        "model": model,
        "service": "api",
        "instance": instance,
        "timestamp": timestamp,
        "measurements": measurements,
    } | ({"sequence": sequence} if sequence is not None else {})
    named = {"type": "streamgauge.telemetry.v1", **(headers or {})}
    return LogRecord(
        PREDICTIONS,
        0,
        0,
        timestamp,
        model.encode(),
        tuple((f"ce_{name}", value.encode()) for name, value in named.items()),
        orjson.dumps(event),
    )


def numbers(times: Iterable[float], **more: Any) -> list[LogRecord]:
    """Predictions without features at the given times: only that they come matters."""
    return [
        prediction(i, at, {}, **{"output": 0.5, "prediction_id": f"p{at!r}-{i}", **more})
        for i, at in enumerate(times)
    ]
