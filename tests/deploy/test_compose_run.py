"""Every service of ours as the compose file starts it: its command, its environment, its health.

Only addresses are others: Kafka's and Redis', and ports, so that nothing else on this machine is
in the way.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from redis import Redis, RedisError

from services.stack.broker import EmbeddedBroker
from services.stack.ports import free_port
from services.stack.redis_server import real_server
from streamgauge.telemetry import CATALOGUE
from streamgauge_client.topics import TOPICS
from tests.deploy import compose
from tests.deploy.compose import ROOT, Service
from tests.deploy.daemon import answers
from tests.deploy.rules import ALERTS, RECORDED
from tests.missing import missing

pytestmark = pytest.mark.integration
READY_SECONDS = 40.0
#: They make work for the rest, and the processor of a small machine is one.
TRAFFIC = {"demo", "load"}
#: As somebody would have them in .env, with all profiles up.
ENV = {
    "STREAMGAUGE_EXPORTER__TOKEN": "fedcba9876543210fedcba9876543210",
    "STREAMGAUGE_INGEST__TOKEN": "0123456789abcdef0123456789abcdef",
    "STREAMGAUGE_STATE__KEY": "fedcba9876543210fedcba9876543210",
    "LOAD_RATE": "200",
}


#: What has no series before there is something wrong.
ONLY_IN_TROUBLE = {
    "streamgauge_registry_rejected_total",
    # Shown by services that serve a model of the registry, and the demo's has no /metrics.
    "streamgauge_served_model_stale_seconds",
}


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


class Started:
    """One service's process, with the ports that stand for those of the file."""

    def __init__(
        self, name: str, service: Service, addresses: Mapping[str, str], directory: Path
    ) -> None:
        self.name, self.service = name, service
        self.directory = directory
        directory.mkdir()
        self.log = directory.parent / f"{name}.log"
        # A variable that is not set is empty in compose, and null in YAML.
        told = {k: "" if v is None else str(v) for k, v in service["environment"].items()}
        command = [str(part) for part in service["command"]]
        #: The healthcheck's command, at our port.
        self.check: list[str] = []
        if "healthcheck" in service:
            theirs, port = compose.health_port(service), str(free_port())
            self.check = [
                part.replace(str(theirs), port) for part in service["healthcheck"]["test"]
            ]
            self.ready_url = f"http://127.0.0.1:{port}/readyz"
            self.metrics_url = f"http://127.0.0.1:{port}/metrics"
            if str(theirs) in command:
                command[command.index(str(theirs))] = port
            else:
                told[f"STREAMGAUGE_{name.upper()}__PORT"] = port
        for key, value in told.items():
            told[key] = addresses.get(value, value)
        command = [addresses.get(part, part) for part in command]
        assert command[0] == "python"
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **told}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command[1:]],
                cwd=directory,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return f"{self.name}: {self.log.read_text(errors='replace')[-2000:]}"

    def healthy(self) -> bool:
        """What the healthcheck says, with the environment that it would have."""
        assert self.process.poll() is None, self.said
        _, *command = self.check
        assert command[0] == "python"
        done = subprocess.run(
            [sys.executable, *command[1:]],
            env=self._environment,
            capture_output=True,
            timeout=30,
        )
        return done.returncode == 0

    def stop(self) -> int:
        """As compose does: SIGTERM, and for thirty seconds the time to end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis with exactly the options of the file."""
    server = real_server()
    if server is None:
        missing("no redis-server on PATH")
    port = free_port()
    _, *options = map(str, compose.services(ENV)["redis"]["command"])
    where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path)]
    with (tmp_path / "redis.log").open("wb") as log:
        process = subprocess.Popen([server, *options, *where], stdout=log)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with contextlib.closing(Redis.from_url(url)) as client:
            deadline = time.monotonic() + 10
            while not _pings(client):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _pings(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def test_every_service_starts_is_healthy_and_stops(redis_url: str, tmp_path: Path) -> None:
    services = compose.ours(ENV)
    with contextlib.ExitStack() as parts:
        broker = parts.enter_context(EmbeddedBroker([t.under("streamgauge") for t in TOPICS]))
        addresses = {
            "kafka:19092": broker.bootstrap_servers,
            "redis://redis:6379/0": redis_url,
            # In a container everybody may ask; here it is this machine.
            "0.0.0.0": "127.0.0.1",
        }

        def start(name: str) -> Started:
            started = Started(name, services[name], addresses, tmp_path / name)
            parts.callback(started.kill)
            return started

        # Given the topics, for which the others wait
        topics = start("topics")
        assert topics.process.wait(timeout=READY_SECONDS) == 0, topics.said
        # When the others are started, first those that do the work, then those that make some
        running: list[Started] = []
        for names in (services.keys() - {"topics", *TRAFFIC}, TRAFFIC):
            together = [start(name) for name in sorted(names)]
            deadline = time.monotonic() + READY_SECONDS
            # Then the healthcheck of each is content before long
            for each in together:
                while not answers(each.ready_url):
                    assert each.process.poll() is None and time.monotonic() < deadline, each.said
                    time.sleep(0.2)
                assert each.healthy(), each.said
            running += together
        # And Prometheus finds something wherever it is sent
        assert [each.name for each in running if not answers(each.metrics_url)] == ["demo"]
        # And what the rules ask of processes is there
        shown = "".join(fetched(each.metrics_url) for each in running if each.name != "demo")
        asked = {name for rule in [*RECORDED, *ALERTS] for name, _ in rule.selectors}
        processes = {d.full_name for d in CATALOGUE if d.exposer != "exporter"} & asked
        absent = {name for name in processes if f"# TYPE {name} " not in shown}
        assert absent == ONLY_IN_TROUBLE
        # And each ends when told to, as if nothing had been, having written nothing where it stood
        codes = {each.name: each.stop() for each in running}
        assert codes == dict.fromkeys(codes, 0), [each.said for each in running if codes[each.name]]
        assert [each.said for each in running if "Traceback" in each.log.read_text()] == []
        assert [path for each in running for path in each.directory.iterdir()] == []


def test_what_is_not_healthy_would_be_noticed(tmp_path: Path) -> None:
    # Given an exporter whose Redis is not there
    addresses = {"redis://redis:6379/0": f"redis://127.0.0.1:{free_port()}/0"}
    addresses["0.0.0.0"] = "127.0.0.1"
    exporter = Started("exporter", compose.ours(ENV)["exporter"], addresses, tmp_path / "exporter")
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(exporter.metrics_url):
            assert exporter.process.poll() is None and time.monotonic() < deadline, exporter.said
            time.sleep(0.1)
        # Then it runs, and its healthcheck says no
        assert not exporter.healthy()
    finally:
        exporter.kill()
