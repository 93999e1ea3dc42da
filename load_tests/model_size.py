"""What models cost in Redis: bytes of state and of views, by models and features.

    python load_tests/model_size.py [--events 400]

Each model sends numeric features, a score and a latency, has a learned reference, and was judged
at least once. A checkpoint writes the models that changed, so that one of all of them is the sum.
Limits are none; the last line is machine-readable.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from services.stack.redis_server import EmbeddedRedis
from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import Changes, LogRecord
from streamgauge.specs.model_spec import ModelSpec

NOW, RATE, CHUNK = 1_790_000_000.0, 10.0, 2_000
QUICK = {
    "defaults": {"pane": 1.0, "min_duration": 5.0, "min_events": 50, "grace": 0.0},
    "reference": {"min_events": 100, "min_duration": 5.0},
}


class Book:
    """The default spec with short windows for every model."""

    def versions(self, model: str) -> list[Configuration]:
        return []

    def default(self, model: str) -> Configuration:
        return Configuration(ModelSpec.default(model, overrides=QUICK))


def log(models: int, features: int, events: int) -> Iterator[LogRecord]:
    """Predictions of all models in turns, ten a second of each."""
    rng = np.random.default_rng(1)
    names = [f"feature_{i}" for i in range(features)]
    for i in range(models * events):
        model, at = f"model-{i % models}", NOW + i / models / RATE
        event = {
            "prediction_id": f"{i:08x}",
            "model": model,
            "version": "1",
            "timestamp": at,
            "features": dict(zip(names, rng.normal(size=features).tolist(), strict=True)),
            "output": {"label": "ok", "score": float(rng.random())},
            "latency_ms": float(rng.gamma(4.0, 3.0)),
        }
        value = orjson.dumps(event)
        yield LogRecord("streamgauge.predictions", 0, i, at, model.encode(), (), value)


def measured(models: int, features: int, events: int) -> Changes:
    """What the first checkpoint of all writes."""
    monitor = PartitionMonitor(0, book=Book())
    records = list(log(models, features, events))
    for start in range(0, len(records), CHUNK):
        if monitor.process(records[start : start + CHUNK]).dead_letters:
            raise SystemExit("the log is wrong")
    return monitor.dirty()


def in_redis(client: Redis, changes: Changes) -> int:
    """Bytes that Redis needs for both."""
    client.flushall()
    client.hset("state", mapping=dict(changes.blobs))
    client.hset("view", mapping=dict(changes.views))
    return sum(client.memory_usage(key, samples=0) or 0 for key in ("state", "view"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400)
    given = parser.parse_args()
    last = []
    print(f"{'models':>6}{'features':>10}{'state, B':>12}{'view, B':>10}{'Redis, B a model':>18}")
    with EmbeddedRedis("real") as server, Redis.from_url(server.url) as client:
        for features in (10, 100):
            for models in (1, 10, 100):
                changes = measured(models, features, given.events)
                state, view = (
                    sum(map(len, part.values())) // models
                    for part in (changes.blobs, changes.views)
                )
                kept = in_redis(client, changes) // models
                print(f"{models:>6}{features:>10}{state:>12,}{view:>10,}{kept:>18,}")
                last.append(f"{models}x{features}={kept}")
    print("model_size: " + " ".join(last))
    return 0


if __name__ == "__main__":
    sys.exit(main())
