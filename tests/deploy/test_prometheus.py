"""The committed configuration in a real Prometheus and a real Alertmanager, on live /metrics."""

from __future__ import annotations

import json
import math
import shutil
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from services.stack.ports import free_port
from streamgauge.exposition.collector import ViewCollector
from streamgauge.exposition.http import TelemetryServer
from streamgauge.exposition.source import Reading
from streamgauge.exposition.worker import worker_registry
from streamgauge.state.views import LabelsView, TruthView
from streamgauge.streaming.telemetry import WorkerTelemetry
from tests.deploy.daemon import running
from tests.deploy.rules import FILES, PROMETHEUS, RECORDED
from tests.exposition.builders import NOW, alarm, feature, model, partition, reading, series
from tests.missing import missing

ALERTMANAGER = PROMETHEUS.parent / "alertmanager" / "alertmanager.yml"
pytestmark = pytest.mark.integration
#: A name that a link must not take as it is.
MODEL = "fraud & co"


class World:
    """A monitor and an exporter whose numbers grow with every ``turn``."""

    def __init__(self, parts: ExitStack) -> None:
        self.turns = 1
        self.worker = WorkerTelemetry()
        ours = self.worker.partition(0)
        ours.state = "running"
        ours.lag_records = {"streamgauge.predictions": 40}
        ours.next_timestamp, ours.newest_timestamp = NOW - 7, NOW - 9
        views = CollectorRegistry()
        views.register(ViewCollector(self._reading, clock=lambda: NOW))
        own = worker_registry(self.worker, service="monitor", version="1", clock=lambda: NOW)
        self.targets: dict[str, str] = {}
        for job, registry in (("streamgauge-exporter", views), ("streamgauge-monitor", own)):
            server = TelemetryServer(registry)
            server.start()
            parts.callback(server.stop)
            self.targets[job] = f"127.0.0.1:{server.port}"

    def turn(self) -> None:
        self.turns += 1
        self.worker.redis_errors["TimeoutError"] += 1
        self.worker.processing_seconds.extend([("process", 0.01), ("checkpoint", 0.2)])

    def _reading(self) -> Reading:
        n = self.turns
        labels = LabelsView(counts={"settled": 20 * n, "settled_labelled": 15 * n})
        answers = series(
            counts={"ok": 9 * n, "error": n},
            latency_buckets={"0.01": 5 * n, "0.1": 10 * n, "+Inf": 10 * n},
            features=[feature(severity=8.2, state="firing")],
        )
        truth = TruthView(labels=labels)
        view = model(MODEL, series=[answers], labels=n, alarms=[alarm()], truth=truth)
        counts = {"prediction/ok": 95 * n, "prediction/dead": n}
        return reading([view], [partition(counts=counts, dead={"schema": n})])


def asked(url: str, *, post: object = None) -> Any:
    data = None if post is None else json.dumps(post).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def wait_for(what: Callable[[], bool], *, turn: Callable[[], None] = lambda: None) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        turn()
        if what():
            return True
        time.sleep(0.2)
    return False


@pytest.fixture(scope="module")
def parts() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def alertmanager(parts: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its address."""
    program = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    if program is None:
        missing("no Alertmanager on PATH (Debian: prometheus-alertmanager)")
    directory = tmp_path_factory.mktemp("alertmanager")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={ALERTMANAGER}",
        f"--storage.path={directory}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    parts.enter_context(running(command, f"http://{address}/-/ready", log=directory / "log"))
    return address


@pytest.fixture(scope="module")
def world(parts: ExitStack) -> World:
    return World(parts)


@pytest.fixture(scope="module")
def prometheus(
    parts: ExitStack, world: World, alertmanager: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Its URL. It runs by the committed file, in haste, and with our addresses."""
    if shutil.which("prometheus") is None:
        missing("no prometheus on PATH")
    directory = tmp_path_factory.mktemp("prometheus")
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump(here(world.targets, alertmanager)))
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
        # It sends before it knows to whom; then, by default, not again for a minute.
        "--rules.alert.resend-delay=1s",
    ]
    parts.enter_context(running(command, f"http://{address}/-/ready", log=directory / "log"))
    return f"http://{address}"


def here(targets: dict[str, str], alertmanager: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {
        "scrape_interval": "500ms",
        "scrape_timeout": "500ms",
        "evaluation_interval": "500ms",
    }
    config["rule_files"] = [str(PROMETHEUS / pattern) for pattern in config["rule_files"]]
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    assert set(targets) <= jobs
    config["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [target]}]}
        for job, target in targets.items()
    ]
    return config


def values(prometheus: str, query: str) -> list[float]:
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    return [float(each["value"][1]) for each in asked(url)["data"]["result"]]


def test_every_recording_rule_yields_data_and_none_is_in_error(
    prometheus: str, world: World
) -> None:
    def without_data() -> list[str]:
        return [
            rule.name
            for rule in RECORDED
            if not any(math.isfinite(value) for value in values(prometheus, rule.name))
        ]

    # When it has scraped and evaluated for a while
    complete = wait_for(lambda: not without_data(), turn=world.turn)
    # Then each rule has a number
    assert complete, without_data()
    # And all of the files were loaded, and no rule is in error
    groups = asked(f"{prometheus}/api/v1/rules")["data"]["groups"]
    assert {Path(group["file"]).name for group in groups} == {path.name for path in FILES}
    unwell = [
        (rule["name"], rule.get("lastError"))
        for group in groups
        for rule in group["rules"]
        if rule["health"] != "ok"
    ]
    assert unwell == []


def test_what_alerts_say_is_whole(prometheus: str, world: World) -> None:
    def alerts() -> dict[str, dict[str, str]]:
        found = asked(f"{prometheus}/api/v1/alerts")["data"]["alerts"]
        return {each["labels"]["alertname"]: each["annotations"] for each in found}

    # Given some that are pending: a drift, dead letters, errors, a service that is not there
    expected = {"DriftSustained", "DeadLetterRate", "RedisErrors", "ServiceDown", "Watchdog"}
    assert wait_for(lambda: expected <= alerts().keys(), turn=world.turn), alerts().keys()
    # Then nothing was left open in their texts, and a link leads to the model by its name
    for said in alerts().values():
        for text in said.values():
            assert "{{" not in text and "<no value>" not in text and "error expanding" not in text
    drift = alerts()["DriftSustained"]
    assert drift["dashboard_url"].endswith("?var-model=fraud+%26+co")
    assert drift["summary"] == "fraud & co has drifted for an hour"
    assert "stands at 8.2 times its threshold" in drift["description"]


def test_the_watchdog_reaches_alertmanager(prometheus: str, alertmanager: str) -> None:
    url = f"http://{alertmanager}/api/v2/alerts?filter=alertname%3DWatchdog"
    assert wait_for(lambda: bool(asked(url)))
    (watchdog,) = asked(url)
    assert [receiver["name"] for receiver in watchdog["receivers"]] == ["dead-man"]


def test_one_cause_makes_its_consequences_silent(alertmanager: str) -> None:
    # Given alerts about two models, one of which is critically ill, and a lag without a model
    alerts = {
        "drift": {"alertname": "LabelStarvation", "model": "fraud", "severity": "warning"},
        "critical": {"alertname": "SomethingGrave", "model": "fraud", "severity": "critical"},
        "other": {"alertname": "LabelStarvation", "model": "churn", "severity": "warning"},
        "lag": {"alertname": "LagGrowing", "job": "m", "severity": "warning"},
    }

    def muted() -> set[str]:
        found = asked(f"http://{alertmanager}/api/v2/alerts")
        return {
            name
            for name, labels in alerts.items()
            for each in found
            if each["labels"] == labels and each["status"]["inhibitedBy"]
        }

    raise_alerts(alertmanager, *alerts.values())
    # Then the lesser alert of that model alone is muted
    assert wait_for(lambda: muted() == {"drift"}), muted()
    # And when the pipeline is stale, so is everything about models, and nothing else
    raise_alerts(alertmanager, {"alertname": "PipelineStale", "severity": "critical"})
    assert wait_for(lambda: muted() == {"drift", "critical", "other"}), muted()


def raise_alerts(alertmanager: str, *labels: dict[str, str]) -> None:
    now = datetime.now(UTC).isoformat()
    asked(
        f"http://{alertmanager}/api/v2/alerts",
        post=[{"labels": each, "startsAt": now} for each in labels],
    )
