"""A learner's process under test: its log, its start, what is durable, and a pass without it."""

from __future__ import annotations

import heapq
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import redis
from confluent_kafka import Producer

from streamgauge.learning.partition_learner import SOURCES, PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.processing import Effects, LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.version import SpecVersion
from streamgauge.state.keys import checkpoint_key, model_id, spec_key, view_key
from streamgauge_client.keys import partition_key
from streamgauge_client.topics import MODELS
from tests.integration.conftest import Kafka
from tests.integration.first_light import PARTITIONS, read_topic
from tests.monitor.streams import Book

ROOT = Path(__file__).parents[2]
MODEL = "fraud"
KEY = "a secret of this test"
DOCUMENT: dict[str, Any] = {
    "model": MODEL,
    "task": "binary",
    "label_delay": {"max": "5s"},
    "labels": {"implicit_negative_after": "4s"},
    "learning": {
        "challengers": {
            "linear": {"estimator": "logistic_regression"},
            "tree": {"estimator": "hoeffding_tree_classifier"},
        },
        "promotion": {"mode": "automatic", "period": 0, "cooldown": 0},
    },
}
SPEC = ModelSpec.from_document(DOCUMENT)

#: A message: topic, log time in seconds, value.
Message = tuple[str, float, bytes | None]


def story(rows: int, *, begin: float, rate: float = 500.0, seed: int = 3) -> list[Message]:
    """Predictions, late and missing labels, an alarm on the inputs, another model, and rubbish."""
    rng, dice = np.random.default_rng(seed), random.Random(seed)
    x = rng.normal(size=(rows, 4))
    truth = x @ np.array([1.0, -1.0, 0.5, 0.0]) > 0
    said = truth ^ (rng.random(rows) < 0.3)
    found: list[Message] = []
    for i in range(rows):
        at = begin + i / rate
        event: dict[str, Any] = {
            "prediction_id": f"p{i}",
            "model": MODEL,
            "version": "1",
            "timestamp": at,
            "features": dict(zip("abcd", map(float, x[i]), strict=True)),
            "output": {"label": "true" if said[i] else "false", "score": 0.9},
        }
        found.append(("predictions", at, orjson.dumps(event)))
        if dice.random() < 0.95:
            late = at + dice.expovariate(1.0)
            said_so = {"prediction_id": f"p{i}", "model": MODEL, "label": bool(truth[i])}
            found.append(("labels", late, orjson.dumps(said_so)))
        if i % 50 == 7:
            found.append(("predictions", at, orjson.dumps({**event, "model": "another"})))
        if i % 97 == 13:
            found.append(("labels", at, dice.choice((None, b"{", b"[]"))))
    for number, share in enumerate((0.3, 0.4)):
        at = begin + rows / rate * share
        found.append(("alarms", at, _alarm(at, firing=not number)))
    return sorted(found, key=lambda each: each[1])


def _alarm(at: float, *, firing: bool) -> bytes:
    return orjson.dumps(
        {
            "alarm_id": f"a{at}",
            "fingerprint": "quality",
            "status": "firing" if firing else "resolved",
            "severity": "warning",
            "kind": "data_quality",
            "scope": {},
            "model": MODEL,
            "summary": "inputs are broken",
            "starts_at": at,
        }
    )


def publish(kafka: Kafka, prefix: str, messages: list[Message]) -> int:
    """Send them with the log times that they have, each topic in its order."""
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "partitioner": "murmur2_random",
            # Without it a batch that is sent again, as to a new topic, comes behind later ones.
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
            "linger.ms": 5,
        }
    )
    for topic, at, value in messages:
        producer.produce(
            f"{prefix}.{topic}",
            key=partition_key(MODEL, "", 1),
            value=value,
            timestamp=round(at * 1000),
        )
        producer.poll(0)
    assert producer.flush(30) == 0
    return len(messages)


class Learner:
    """The process, as a user starts it, and what it left in Redis."""

    def __init__(
        self, kafka: Kafka, url: str, prefix: str, *, more: Mapping[str, str] | None = None
    ) -> None:
        self.prefix = prefix
        self.redis: Any = redis.Redis.from_url(url)
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")},
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
            "STREAMGAUGE_REDIS__URL": url,
            "STREAMGAUGE_LEARNER__GROUP": prefix,
            "STREAMGAUGE_LEARNER__PORT": "0",
            "STREAMGAUGE_STATE__KEY": KEY,
            **(more or {}),
        }
        if kafka.kind == "real":
            self._environment["STREAMGAUGE_LEARNER__INSTANCE"] = "learner-0"
        self.running: list[subprocess.Popen[str]] = []
        version = SpecVersion(1, 0.0, SPEC, "test", 0.0)
        self.redis.hset(spec_key(MODEL), mapping={"1": version.to_bytes(), "latest": "1"})

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.learner"],
            cwd=ROOT,
            env=self._environment,
            text=True,
            stderr=subprocess.PIPE if not self._environment["STREAMGAUGE_STATE__KEY"] else None,
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.redis.close()

    def taken(self) -> int:
        """Records that are durably taken, but for the learner's own model events."""
        views = self.partition_views()
        return sum(n for v in views for topic, n in v["positions"].items() if topic != "models")

    def partition_views(self) -> list[dict[str, Any]]:
        keys = [view_key(self.prefix, number) for number in range(PARTITIONS)]
        return [orjson.loads(view) for key in keys if (view := self.redis.hget(key, "_"))]

    def blobs(self) -> dict[str, bytes]:
        """The model's state in the checkpoint, by field."""
        field = model_id(MODEL)
        return {
            name.decode()[2:]: value
            for number in range(PARTITIONS)
            for name, value in self.redis.hgetall(checkpoint_key(self.prefix, number)).items()
            if name.decode()[2:].startswith(field)
        }


def single_pass(kafka: Kafka, prefix: str) -> tuple[dict[str, bytes], PartitionLearner, Effects]:
    """The model's state after one pass over the log, without a worker, a store, or a cut."""
    topics = [read_topic(kafka, topic.under(prefix)) for topic in SOURCES if topic != MODELS]
    # As the worker merges: by time and rank, within a topic by offset. (merge is stable)
    log: list[LogRecord] = list(heapq.merge(*topics, key=lambda record: record.timestamp or 0.0))
    assert len({record.partition for record in log}) == 1
    book = Book(Configuration(SPEC, 1, 0.0))
    made = PartitionLearner(log[0].partition, book=book, key=KEY.encode(), prefix=prefix)
    effects = made.process(log)
    effects.extend(made.advance(time.time()))
    blobs = {name: blob for name, blob in made.dirty().blobs.items() if blob}
    field = model_id(MODEL)
    return {n: b for n, b in blobs.items() if n.startswith(field)}, made, effects
