"""A broker for the client's tests: librdkafka's mock cluster in a child process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

SCHEMAS = Path(__file__).parents[2] / "schemas"

_BROKER = """
import sys
from confluent_kafka import Producer
cluster = Producer({"test.mock.num.brokers": 1, "log_level": 4})
brokers = cluster.list_topics(timeout=10).brokers.values()
print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The bootstrap address. The child ends when its standard input closes."""
    with subprocess.Popen(
        [sys.executable, "-c", _BROKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        yield child.stdout.readline().strip()
        child.stdin.close()


@pytest.fixture
def read_topic(broker: str) -> Callable[[str, int], list[Any]]:
    """Reads the first ``count`` messages of a topic over all its partitions."""

    def read(topic: str, count: int) -> list[Any]:
        consumer = Consumer({"bootstrap.servers": broker, "group.id": "tests", "log_level": 2})
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            deadline = time.monotonic() + 10
            messages: list[Any] = []
            while len(messages) < count and time.monotonic() < deadline:
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    messages.append(message)
            return messages
        finally:
            consumer.close()

    return read


@pytest.fixture
def producer(broker: str) -> Iterator[Any]:
    producer = Producer(
        {"bootstrap.servers": broker, "partitioner": "murmur2_random", "linger.ms": 0}
    )
    yield producer
    producer.flush(5)


@pytest.fixture
def unused_prefix(request: pytest.FixtureRequest) -> str:
    """A topic prefix of the test's own, since all tests share one broker."""
    name: str = request.node.name
    return "t-" + "".join(letter if letter.isalnum() else "-" for letter in name)[:150]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "STREAMGAUGE_DISABLED",
        "STREAMGAUGE_STRICT",
        "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS",
        "STREAMGAUGE_KAFKA__TOPIC_PREFIX",
    ):
        monkeypatch.delenv(name, raising=False)


def example(event: str, name: str) -> dict[str, Any]:
    text = (SCHEMAS / "examples" / event / "1" / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture
def load_example() -> Callable[[str, str], dict[str, Any]]:
    return example
