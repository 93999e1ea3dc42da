"""Seeded streams of predictions as log records, and a driver for the monitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import Effects, LogRecord
from streamgauge.specs.model_spec import ModelSpec

START = 1_790_000_000.0
#: Short windows, so that a test needs seconds of event time and not hours.
QUICK = {
    "defaults": {
        "pane": 1.0,
        "min_duration": 5.0,
        "min_events": 500,
        "max_duration": 600.0,
        "grace": 0.0,
    },
    "reference": {"min_events": 1000, "min_duration": 20.0},
}


class Book:
    """Configurations by hand."""

    def __init__(self, *versions: Configuration, overrides: Mapping[str, Any] = QUICK) -> None:
        self._versions = versions
        self._overrides = overrides

    def versions(self, model: str) -> Sequence[Configuration]:
        return [v for v in self._versions if v.spec.model == model]

    def default(self, model: str) -> Configuration:
        return Configuration(ModelSpec.default(model, overrides=self._overrides))


def prediction(
    offset: int,
    timestamp: float,
    features: Mapping[str, Any],
    *,
    model: str = "fraud",
    version: str = "1",
    output: Any = 0.5,
    recorded: float | None = None,
    **more: Any,
) -> LogRecord:
    event = {
        "prediction_id": f"{model}-{offset}",
        "model": model,
        "version": version,
        "timestamp": timestamp,
        "features": dict(features),
        "output": output,
        **more,
    }
    return record(offset, orjson.dumps(event), timestamp if recorded is None else recorded)


def record(
    offset: int, value: bytes | None, timestamp: float, *, topic: str = "streamgauge.predictions"
) -> LogRecord:
    return LogRecord(topic, 0, offset, timestamp, b"fraud", (), value)


def drive(
    monitor: PartitionMonitor, records: Sequence[LogRecord], cuts: Iterable[int] = ()
) -> Effects:
    """Feed records, cut at the given indices; return all effects."""
    effects = Effects()
    edges = [0, *sorted(set(cuts)), len(records)]
    for start, end in zip(edges, edges[1:], strict=False):
        effects.extend(monitor.process(records[start:end]))
    return effects


def monitor(*versions: Configuration, **options: Any) -> PartitionMonitor:
    return PartitionMonitor(0, book=Book(*versions, **options))
