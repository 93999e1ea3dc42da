"""What ``Publisher.log`` costs its caller, with a broker and without one.

Run ``python load_tests/client_log.py``; it exits with 1 when a figure is beyond its limit.
The event has 20 features and an output of two classes. Events come in bursts of 20, as from a
service under load; ``--rate`` says how many a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from services.stack.broker import EmbeddedBroker
from streamgauge_client import PredictionEvent, Publisher, PublisherStats
from streamgauge_client.testing import capture

#: Microseconds in the caller's thread.
LIMIT_P50 = 20.0
LIMIT_P99 = 100.0
_BURST = 20
_WARM_UP = 500
_SEGMENT = {"country": "SE"}


@dataclass(frozen=True)
class Figures:
    """Microseconds a call."""

    p50: float
    p99: float
    p999: float
    worst: float

    def within_limits(self) -> bool:
        return self.p50 <= LIMIT_P50 and self.p99 <= LIMIT_P99


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=10_000.0, help="events a second")
    args = parser.parse_args()
    features = make_features()
    document = sample(features)
    bare = measure(lambda: orjson.dumps(document), args)
    print(f"orjson.dumps of the same event      {line(bare)}")
    with EmbeddedBroker(["streamgauge.predictions"]) as broker:
        up = measure_log("broker up", broker.bootstrap_servers, features, bare, args)
    down = measure_log("broker down", "127.0.0.1:1", features, bare, args)
    if up.within_limits() and down.within_limits():
        print(f"within the limits: p50 {LIMIT_P50:.0f} µs, p99 {LIMIT_P99:.0f} µs")
        return 0
    print(f"beyond the limits: p50 {LIMIT_P50:.0f} µs, p99 {LIMIT_P99:.0f} µs")
    return 1


def measure_log(
    state: str,
    bootstrap_servers: str,
    features: dict[str, Any],
    bare: Figures,
    args: argparse.Namespace,
) -> Figures:
    publisher = Publisher(bootstrap_servers, model="fraud", version="3.2.0")
    figures = measure(lambda: log_one(publisher, features), args)
    before_close = publisher.stats()
    publisher.close(timeout=5.0 if state == "broker up" else 0.0)
    print(f"log, {state:<30} {line(figures)}  p50 is {figures.p50 / bare.p50:.1f} × bare orjson")
    print(f"    {summary(before_close)}; after close: {summary(publisher.stats())}")
    return figures


def log_one(publisher: Publisher, features: dict[str, Any]) -> None:
    publisher.log(
        features=features,
        output={"label": "fraud", "score": 0.93},
        latency_ms=4.1,
        segment=_SEGMENT,
    )


def measure(call: Callable[[], object], args: argparse.Namespace) -> Figures:
    for _ in range(_WARM_UP):
        call()
    times: list[int] = []
    clock = time.perf_counter_ns
    pause = _BURST / args.rate
    due = time.perf_counter()
    while len(times) < args.events:
        for _ in range(_BURST):
            started = clock()
            call()
            times.append(clock() - started)
        due += pause
        time.sleep(max(0.0, due - time.perf_counter()))
    times.sort()
    p50, p99, p999 = (times[int(len(times) * share)] / 1e3 for share in (0.5, 0.99, 0.999))
    return Figures(p50, p99, p999, times[-1] / 1e3)


def make_features() -> dict[str, Any]:
    numbers = {f"sensor_{number}": number * 1.234567 for number in range(16)}
    return {**numbers, "country": "SE", "channel": "app", "age": 41, "returning": True}


def sample(features: dict[str, Any]) -> dict[str, Any]:
    """The document that ``log`` makes of the event."""
    with capture() as events:
        log_one(Publisher(model="fraud", version="3.2.0"), features)
    return events.of(PredictionEvent)[0].model_dump(exclude_defaults=True)


def line(figures: Figures) -> str:
    return (
        f"p50 {figures.p50:6.1f}  p99 {figures.p99:6.1f}  "
        f"p99.9 {figures.p999:7.1f}  max {figures.worst:8.0f} µs"
    )


def summary(stats: PublisherStats) -> str:
    return (
        f"sent {stats.sent}, delivered {stats.delivered}, queued {stats.queued}, "
        f"failed {stats.failed}, dropped {dict(stats.dropped)}"
    )


if __name__ == "__main__":
    sys.exit(main())
