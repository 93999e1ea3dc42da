"""Brokers and stores, embedded and real. A real one that is missing skips; in CI it fails."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from services.stack.broker import EmbeddedBroker
from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge_client.topics import TOPICS
from tests.missing import missing

START = Path(__file__).parents[2] / "deploy" / "kafka" / "start"
REAL = pytest.mark.integration


@dataclass(frozen=True)
class Kafka:
    """A broker to test against. Each test takes a topic prefix of its own."""

    bootstrap_servers: str
    kind: Literal["embedded", "real"]
    #: Options of confluent-kafka, for one that asks who we are.
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def create_topics(self, prefix: str, *, partitions: int | dict[str, int] = 4) -> None:
        """Make the contract's topics. The embedded broker makes all with four partitions."""
        names = [topic.under(prefix) for topic in TOPICS]
        if self.kind == "embedded":
            producer = Producer({"bootstrap.servers": self.bootstrap_servers})
            for name in names:
                producer.list_topics(name, timeout=10)
            return
        counts = partitions if isinstance(partitions, dict) else dict.fromkeys(names, partitions)
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        new = [NewTopic(name, counts[name], 1) for name in names if name in counts]
        for future in admin.create_topics(new).values():
            future.result(timeout=20)


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[Kafka]:
    with EmbeddedBroker() as broker:
        yield Kafka(broker.bootstrap_servers, "embedded")


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    if shutil.which("java") is None:
        missing("no java on PATH for a real Kafka")
    directory = tmp_path_factory.mktemp("kafka")
    state, output = directory / "address", directory / "output"
    command = [str(START), "--port", "0", "--state-file", str(state), "--with-parent"]
    with output.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180  # the first time, Maven fetches the broker
        while not state.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                missing(f"Kafka did not start: {output.read_text()[-1000:]}")
            time.sleep(0.05)
        yield Kafka(state.read_text().strip(), "real")
    finally:
        process.terminate()
        process.wait(timeout=15)


@pytest.fixture(params=["embedded", pytest.param("real", marks=REAL)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    found: Kafka = request.getfixturevalue(f"{request.param}_kafka")
    return found


@pytest.fixture(scope="session")
def fake_redis() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture(scope="session")
def real_redis() -> Iterator[str]:
    if real_server() is None:
        missing("no redis-server on PATH")
    with EmbeddedRedis("real") as redis:
        yield redis.url


@pytest.fixture(params=["memory", "fake", pytest.param("real", marks=REAL)])
def redis_url(request: pytest.FixtureRequest) -> str | None:
    """None stands for a store in memory."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue(f"{request.param}_redis")
    return url


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A topic prefix that no other test has."""
    return f"t{abs(hash(request.node.nodeid)) % 10**8}-{time.monotonic_ns() % 10**6}"
