"""Views as the monitor makes them, of two models that show all that there is to show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.views import ModelView
from tests.monitor.generate import stream
from tests.monitor.streams import QUICK, START, monitor, record
from tests.monitor.truths import label

#: Fraud's events; two hundred a second.
EVENTS = 16_000
RATE = 200.0
#: From here on x0 is a hundred times as large, users ask again, and the new version is bad.
BROKEN = 12_000
SPEC: dict[str, Any] = {
    **QUICK,
    "model": "fraud",
    "owner": "risk-ml",
    "project": {"objective": "Stop fraud"},
    "segments": {"country": {}},
    "label_delay": {"max": "20s"},
    "behaviour": {"abandon": {"max_ratio": 0.1}},
    "rules": [{"name": "limit-holds", "check": "x0 < 50", "severity": "critical"}],
    "criteria": [
        {"name": "fast", "kind": "software", "expr": "p95_latency_ms <= 120"},
        {"name": "stays itself", "kind": "ml", "expr": "drift_severity < 1"},
        {"name": "right", "kind": "ml", "expr": "recall >= 0.8"},
    ],
}
ASLEEP = {**QUICK, "model": "asleep", "silence_after": "20s"}


def _fault(i: int, fields: dict[str, Any]) -> Mapping[str, Any]:
    more: dict[str, Any] = {
        "segment": {"country": ("SE", "NO")[i % 2]},
        "interaction_id": f"i{i}",
        "status": "error" if i % 100 == 0 else "ok",
    }
    if i >= BROKEN and i % 2:
        fields["features"]["x0"] *= 100.0
    if i >= BROKEN and i % 2 == 0:
        more["output"] = {"label": "ok", "score": 0.99}
    return more


def _acts() -> list[LogRecord]:
    """Two in a hundred ask again, later on one in five; one act is on nobody knows what."""
    asked = [*range(0, BROKEN, 50), *range(BROKEN, EVENTS, 5)]
    acts = [(i, f"i{i}") for i in asked] + [(BROKEN, "nobody's")]
    found = []
    for place, (i, interaction) in enumerate(acts):
        time = START + i / RATE
        act = {"model": "fraud", "kind": "redo", "interaction_id": interaction, "timestamp": time}
        found.append(record(place, orjson.dumps(act), time, topic="streamgauge.feedback"))
    return found


def _labels() -> list[LogRecord]:
    """One in twenty was none; the label of one of the last never comes."""
    return [
        label(i, START + i / RATE + 0.5, i, "ok" if i % 20 else "fraud")
        for i in range(EVENTS - 200)
        if i != EVENTS - 1_000
    ]


def _beats() -> list[LogRecord]:
    found: list[LogRecord] = []
    for second in range(0, int(EVENTS / RATE), 10):
        for instance in ("web-1-0a", "web-2-0b"):
            event = {
                "model": "fraud",
                "service": "checkout",
                "instance": instance,
                "timestamp": START + second,
                "measurements": {
                    "cpu_ratio": 0.4 if instance.startswith("web-1") else 0.7,
                    "memory_bytes": 2e8,
                    "load_1m": 1.2,
                    "gpu_ratio": 0.1,
                    "gpu_memory_bytes": 1e9,
                    "network_receive_bytes_per_second": 5e4,
                    "network_transmit_bytes_per_second": 6e4,
                    "requests_per_second": 100.0,
                    "request_errors_per_second": 1.0,
                    "requests_in_flight": 3.0,
                },
            }
            # Every third number is never used: that event was lost on the way.
            number = f"{instance[-2:]}-{second // 10 * 3 // 2}".encode()
            headers = (("ce_type", b"streamgauge.telemetry.v1"), ("ce_sequence", number))
            found.append(
                LogRecord(
                    "streamgauge.predictions",
                    0,
                    10_000_000 + len(found),
                    START + second,
                    b"fraud",
                    headers,
                    orjson.dumps(event),
                )
            )
    return found


@cache
def lively_views() -> tuple[ModelView, ...]:
    """The views at the end of eighty seconds: asleep has been silent for most of them."""
    book = [Configuration(ModelSpec.from_document(spec), number=1) for spec in (SPEC, ASLEEP)]
    watching = monitor(*book)
    fraud = stream(EVENTS, rate=RATE, fault=_fault, version=lambda i: "1" if i < BROKEN else "2")
    asleep = stream(400, rate=RATE, model="asleep", first=20_000_000)
    records = sorted(
        [*fraud, *asleep, *_acts(), *_beats(), *_labels()], key=lambda r: r.timestamp or 0.0
    )
    for start in range(0, len(records), 1_000):
        watching.process(records[start : start + 1_000])
    return _views(watching)


def _views(watching: PartitionMonitor) -> tuple[ModelView, ...]:
    views = watching.dirty().views
    return tuple(ModelView.model_validate_json(view) for view in views.values())
