"""The monitor's rate with everything watched, beside its rate with all of that switched off.

    python load_tests/monitor_rate.py [--events 40000] [--rounds 5]

``PartitionMonitor.process`` in process, over JSON records that were encoded before: ten numeric
features (1 % null), two categorical, a label with its scores, a latency, a segment, numbered
records; one in fifty is feedback. Both ways take the same log chunk by chunk in turn, of one model
and then of a hundred; the ratio is the median over chunks. Seconds are the process' own, because
what else runs on a shared machine is none of it. It exits with 1 where the rate with everything on
is below 0.70 of the other.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.references import ReferenceProfile
from streamgauge.references.build import build_profile
from streamgauge.specs.model_spec import ModelSpec

NUMERIC = [f"feature_{i}" for i in range(10)]
NOW = 1_790_000_000.0
#: Events a second of event time, and records that are processed at once.
RATE, CHUNK = 4_000.0, 5_000
LEAST_RATIO = 0.70
CLASSES = ("approve", "review", "decline")
#: Windows of seconds, so that each model's are judged many times within the log.
WINDOWS = {"defaults": {"pane": "1s", "min_duration": "2s", "min_events": 200, "grace": 0}}
EVERYTHING: dict[str, Any] = {
    "task": "multiclass",
    "owner": "load",
    "output": {"low_confidence": 0.4, "null_max": 0.05},
    "features": {
        NUMERIC[0]: {"range": [-50, 50], "missing_max": 0.2},
        "country": {"allowed": ["de", "fr", "us"]},
    },
    "segments": {"channel": {}, "country": {"max_values": 10}},
    "rules": [
        {"name": "first-is-small", "check": f"{NUMERIC[0]} <= 10", "max_ratio": 0.1},
        {
            "name": "phones",
            "check": f"not (device == 'phone' and {NUMERIC[1]} > 20)",
            "max_ratio": 0.1,
        },
    ],
    "privacy": {NUMERIC[9]: {"bucket": 0.5}, "country": "keep"},
    "steps": ["score"],
    "behaviour": {"redo": {"max_ratio": 0.5}},
}


class Book:
    """One document and one profile for every model."""

    def __init__(self, document: Mapping[str, Any], profile: ReferenceProfile) -> None:
        self._document, self._profile = document, profile

    def versions(self, model: str) -> Sequence[Configuration]:
        return ()

    def default(self, model: str) -> Configuration:
        spec = ModelSpec.default(model, overrides=self._document)
        return Configuration(spec, profile=self._profile)


def everything_on() -> dict[str, Any]:
    """All that a spec can ask for, of what this version knows."""
    known = ModelSpec.model_fields
    return WINDOWS | {key: value for key, value in EVERYTHING.items() if key in known}


def everything_off() -> dict[str, Any]:
    """Features, outputs and errors only."""
    switches = type(ModelSpec.default("any").watch).model_fields
    return WINDOWS | {"watch": dict.fromkeys(switches, False)}


def make_log(events: int, models: int) -> list[LogRecord]:
    """A log as clients would have written it, seeded."""
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(events, len(NUMERIC)))
    missing = rng.random(numbers.shape) < 0.01
    scores = rng.dirichlet((6.0, 2.0, 1.0), size=events)
    latency = rng.gamma(4.0, 3.0, size=events)
    records = []
    for i in range(events):
        model, at = f"model-{i % models}", NOW + i / RATE
        base = {"model": model, "prediction_id": f"0192f3c4-7c1e-7000-8000-{i:012x}"}
        if i % 50 == 49:
            base = {"model": model, "prediction_id": f"0192f3c4-7c1e-7000-8000-{i - models:012x}"}
            event = base | {"kind": "redo", "timestamp": at}
            records.append(_record("feedback", "feedback", i, at, model, event))
            continue
        features: dict[str, object] = {
            name: None if missing[i, k] else float(numbers[i, k]) for k, name in enumerate(NUMERIC)
        }
        features |= {"country": ("de", "fr", "us")[i % 3], "device": ("phone", "desk")[i % 2]}
        best = int(scores[i].argmax())
        event = base | {
            "version": "3",
            "timestamp": at,
            "features": features,
            "output": {
                "label": CLASSES[best],
                "score": float(scores[i, best]),
                "scores": dict(zip(CLASSES, scores[i].tolist(), strict=True)),
            },
            "latency_ms": float(latency[i]),
            "segment": {"channel": ("app", "web")[i % 2], "country": ("de", "fr", "us")[i % 3]},
        }
        records.append(_record("predictions", "prediction", i, at, model, event))
    return records


def _record(
    topic: str, kind: str, offset: int, at: float, model: str, event: Mapping[str, Any]
) -> LogRecord:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{kind}-{offset}".encode()),
        ("ce_type", f"streamgauge.{kind}.v1".encode()),
        ("ce_source", b"/load"),
        ("ce_sequence", f"0123456789abcdef-{offset}".encode()),
        ("content-type", b"application/json"),
    )
    key = model.encode()
    return LogRecord(f"streamgauge.{topic}", 0, offset, at, key, headers, orjson.dumps(event))


def make_profile(log: Sequence[LogRecord]) -> ReferenceProfile:
    """What training data of the same kind would have given."""
    rows = []
    for record in log[:10_000]:
        event = orjson.loads(record.value or b"")
        if "features" in event:
            output = event["output"]
            rows.append(event["features"] | {"label": output["label"], "score": output["score"]})
    outputs = {"label": "output.label", "score": "output.score"}
    return build_profile(rows, model="any", outputs=outputs, ordered=True)


def seconds(
    log: Sequence[LogRecord], ways: Mapping[str, Mapping[str, Any]], profile: ReferenceProfile
) -> dict[str, list[float]]:
    """Seconds of processor time of each chunk by each way, over the log's second half.

    The first half is learned from. Both ways take a chunk before either takes the next: a shared
    machine changes its speed within seconds.
    """
    monitors = {
        way: PartitionMonitor(0, book=Book(document, profile)) for way, document in ways.items()
    }
    half = len(log) // 2 // CHUNK * CHUNK
    took: dict[str, list[float]] = {way: [] for way in ways}
    for start in range(0, len(log), CHUNK):
        for way, monitor in monitors.items():
            started = time.process_time()
            _process(monitor, log[start : start + CHUNK])
            if start >= half:
                took[way].append(time.process_time() - started)
    return took


def _process(monitor: PartitionMonitor, records: Sequence[LogRecord]) -> None:
    effects = monitor.process(records)
    if effects.dead_letters:
        raise SystemExit(f"the log is wrong: {effects.dead_letters[0]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    ratios = {}
    print(f"{'models':<8}{'on, events/s':>14}{'off, events/s':>15}{'ratio':>8}  quartiles")
    for models in (1, 100):
        log = make_log(args.events, models)
        profile = make_profile(log)
        took: dict[str, list[float]] = {"on": [], "off": []}
        for turn in range(args.rounds):
            ways = {"on": everything_on(), "off": everything_off()}
            order = dict(sorted(ways.items(), reverse=bool(turn % 2)))
            for way, each in seconds(log, order, profile).items():
                took[way] += each
        pairs = [off / on for on, off in zip(took["on"], took["off"], strict=True)]
        low, ratio, high = statistics.quantiles(pairs, n=4)
        on, off = (CHUNK / statistics.median(took[way]) for way in ("on", "off"))
        ratios[models] = (on, off, ratio)
        print(f"{models:<8}{on:>14,.0f}{off:>15,.0f}{ratio:>8.2f}  {low:.2f} to {high:.2f}")
    on, off, ratio = min(ratios.values(), key=lambda each: each[2])
    print(f"monitor_rate: on={on:.0f} off={off:.0f} ratio={ratio:.2f}")
    return int(ratio < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
