"""What the commands of the pages are run against: an embedded stack in which something happened."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from redis import Redis

from services.stack.broker import EmbeddedBroker
from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis
from streamgauge.registry.publish import publish
from streamgauge.registry.registry import ModelRegistry
from streamgauge.state.keys import PARTITION_FIELD, model_id, view_key
from streamgauge.state.views import FeatureView, ModelView, PartitionView, SeriesView
from streamgauge_client.topics import ALARMS, PREDICTIONS, TOPICS
from tests.manual.reading import ROOT
from tests.registry.examples import KEY, learned, rows

MODEL = "fraud"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("STREAMGAUGE_")}


@dataclass(frozen=True)
class Stage:
    """An embedded Kafka and Redis, ingest and exporter beside them, and a directory with files."""

    kafka: str
    redis: EmbeddedRedis
    directory: Path
    #: By the port that the pages name: where it really is.
    addresses: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What a process or a command is told to find it."""
        return {
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "STREAMGAUGE_REDIS__URL": self.redis.url,
            "STREAMGAUGE_STATE__KEY": KEY.decode(),
            # The spec that says everything has hashed fields.
            "STREAMGAUGE_PRIVACY__KEY": KEY.decode(),
        }

    def here(self, text: str) -> str:
        """Text with the addresses that it names replaced by those of this stage."""
        for named, real in self.addresses.items():
            text = text.replace(named, real)
        return text


@contextlib.contextmanager
def staged(directory: Path, *, services: Sequence[str] = ("exporter", "ingest")) -> Iterator[Stage]:
    """Start all of it, and let some things have happened."""
    names = [topic.under() for topic in TOPICS]
    with EmbeddedBroker(names) as broker, EmbeddedRedis() as redis, contextlib.ExitStack() as parts:
        ports = {"9808": free_port(), "9810": free_port()}
        stage = Stage(
            broker.bootstrap_servers,
            redis,
            directory,
            {
                **{f"localhost:{named}": f"127.0.0.1:{port}" for named, port in ports.items()},
                "redis://localhost:6379/0": redis.url,
                "localhost:9092": broker.bootstrap_servers,
            },
        )
        _publish(stage)
        _judged(stage)
        _learned(stage)
        _files(directory)
        listening = {
            service: port
            for service, port in zip(("exporter", "ingest"), ports.values(), strict=True)
            if service in services
        }
        for service, port in listening.items():
            parts.enter_context(_process(stage, service, port))
        for port in listening.values():
            _wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        yield stage


def _publish(stage: Stage) -> None:
    """A prediction, an alarm about it, and a record that could not be read."""
    examples = ROOT / "schemas/examples"
    producer = Producer({"bootstrap.servers": stage.kafka, "log_level": 0})
    for topic, value in (
        (PREDICTIONS, (examples / "prediction/1/full.json").read_bytes()),
        (ALARMS, (examples / "alarm/1/full.json").read_bytes().replace(b"shuttle", b"fraud")),
    ):
        producer.produce(topic.under(), value, key=MODEL)
    dead = {"streamgauge_reason": "decode", "streamgauge_error": "no JSON"}
    producer.produce("streamgauge.dead-letters", b"{", key=MODEL, headers=dead)
    assert producer.flush(10) == 0


def _judged(stage: Stage) -> None:
    """A view, as a monitor writes it."""
    now = time.time()
    series = SeriesView(
        version="3.2.0",
        state="ok",
        window_start=now - 90,
        window_end=now - 30,
        window_n=600,
        features=[FeatureView(name="amount", type="numeric")],
    )
    view = ModelView(model=MODEL, partition=0, series=[series])
    fields = {
        PARTITION_FIELD: PartitionView(partition=0, written_at=now).model_dump_json(),
        model_id(MODEL): view.model_dump_json(),
    }
    with Redis.from_url(stage.redis.url) as redis:
        redis.hset(view_key("streamgauge-monitor", 0), mapping=fields)


def _learned(stage: Stage) -> None:
    """Three versions of a model in the registry, the first of them champion."""
    with Redis.from_url(stage.redis.url) as redis:
        registry = ModelRegistry(redis, key=KEY)
        for count in (10, 20, 30):
            publish(
                registry,
                learned(count=count),
                key=KEY,
                model=MODEL,
                pipeline="online",
                created_at=1_700_000_000.0 + count,
                actor="learner",
                rows=[row for row, _ in rows(5)],
                metrics={"accuracy": 0.9},
                positions={"predictions:0": count},
                examples=count,
            )
        registry.promote(
            MODEL, 1, expected=None, at=1_700_001_000.0, actor="learner", reason="the first"
        )


def _files(directory: Path) -> None:
    """Training data; the specs are the pages' own."""
    draw = random.Random(7)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "country", "score", "label"])
        for _ in range(400):
            score = draw.random()
            writer.writerow([f"{draw.gauss(50, 9):.2f}", draw.choice("SN"), score, score > 0.9])


@contextlib.contextmanager
def _process(stage: Stage, service: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"services.{service}", "--port", str(port)],
        cwd=ROOT,
        env={**CLEAN, **stage.environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            if answer.status == 200:
                return
        assert time.monotonic() < deadline, f"{url} was not ready in time"
        time.sleep(0.05)
