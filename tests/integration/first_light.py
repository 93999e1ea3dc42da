"""The product's processes under test: start, kill, ask; and the single-pass oracle beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from services.stack.ports import free_port
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import Effects, LogRecord
from streamgauge.state.keys import checkpoint_key, model_id, view_key
from streamgauge_client.keys import partition_key
from tests.integration.conftest import Kafka
from tests.monitor.streams import QUICK, Book

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
SETTINGS = {
    "PANE_SECONDS": QUICK["defaults"]["pane"],
    "MIN_DURATION_SECONDS": QUICK["defaults"]["min_duration"],
    "MIN_EVENTS": QUICK["defaults"]["min_events"],
    "MAX_DURATION_SECONDS": QUICK["defaults"]["max_duration"],
    "GRACE_SECONDS": QUICK["defaults"]["grace"],
    "REFERENCE_MIN_EVENTS": QUICK["reference"]["min_events"],
    "REFERENCE_MIN_SECONDS": QUICK["reference"]["min_duration"],
}


class Processes:
    """The monitor and the exporter, started as a user starts them.

    ``monitoring`` replaces some of the settings of that section.
    """

    def __init__(
        self,
        kafka: Kafka,
        url: str,
        prefix: str,
        *,
        monitoring: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.kafka, self.prefix = kafka, prefix
        self.redis: Any = redis.Redis.from_url(url)
        self.metrics_port = free_port()
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")},
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
            "STREAMGAUGE_REDIS__URL": url,
            "STREAMGAUGE_MONITOR__GROUP": prefix,
            "STREAMGAUGE_MONITOR__PORT": "0",
            "STREAMGAUGE_EXPORTER__PORT": str(self.metrics_port),
            **{
                f"STREAMGAUGE_MONITORING__{name}": str(v)
                for name, v in (SETTINGS | dict(monitoring)).items()
            },
        }
        if kafka.kind == "real":
            # A static member: restarted in place, it need not wait for its own session to end.
            self._environment["STREAMGAUGE_MONITOR__INSTANCE"] = "monitor-0"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, service: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{service}"], cwd=ROOT, env=self._environment
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.redis.close()

    def positions(self) -> dict[str, int]:
        """Predictions taken and durable, summed over partitions, and the records of each topic."""
        found: dict[str, int] = {}
        for number in range(PARTITIONS):
            view = self.redis.hget(view_key(self.prefix, number), "_")
            for topic, offset in (orjson.loads(view)["positions"] if view else {}).items():
                found[topic] = found.get(topic, 0) + offset
        return found

    def partition_views(self) -> list[dict[str, Any]]:
        keys = [view_key(self.prefix, number) for number in range(PARTITIONS)]
        return [orjson.loads(view) for key in keys if (view := self.redis.hget(key, "_"))]

    def model_view(self, model: str) -> dict[str, Any]:
        for number in range(PARTITIONS):
            view = self.redis.hget(view_key(self.prefix, number), model_id(model))
            if view is not None:
                return dict(orjson.loads(view))
        raise LookupError(model)

    def state(self, model: str) -> bytes:
        for number in range(PARTITIONS):
            blob = self.redis.hget(checkpoint_key(self.prefix, number), f"s:{model_id(model)}")
            if blob is not None:
                return bytes(blob)
        raise LookupError(model)


def produce(kafka: Kafka, records: Iterable[LogRecord], prefix: str, model: str) -> int:
    """Send records as any Kafka client would: bare values, keyed by model."""
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            **kafka.security,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
        }
    )
    _count = 0
    for _count, record in enumerate(records, 1):
        while True:
            try:
                producer.produce(
                    f"{prefix}.{record.topic.rpartition('.')[2]}",
                    key=partition_key(model, "", 1),
                    value=record.value,
                )
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(30) == 0
    return _count


def read_topic(kafka: Kafka, topic: str) -> list[LogRecord]:
    """Every record of a topic, by partition and offset."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "recount"})
    records: list[LogRecord] = []
    for number in range(PARTITIONS):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
        consumer.assign([TopicPartition(topic, number, low)])
        position = low
        while position < high:
            for message in consumer.consume(5_000, timeout=1.0):
                if message.error() is None:
                    stamp = message.timestamp()[1] / 1000
                    headers = tuple(message.headers() or ())
                    offset, key, value = message.offset(), message.key(), message.value()
                    records.append(LogRecord(topic, number, offset, stamp, key, headers, value))
                    position = offset + 1
    consumer.close()
    return records


def oracle(records: list[LogRecord], prefix: str, now: float) -> tuple[PartitionMonitor, Effects]:
    """One pass over one partition's predictions, with no worker, no store and no cut."""
    monitor = PartitionMonitor(records[0].partition, book=Book(), prefix=prefix)
    effects = monitor.process(records)
    effects.extend(monitor.advance(now))
    return monitor, effects


def wait(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition; return how long it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, what
        time.sleep(0.05)
    return time.monotonic() - started
