"""All our services under the users of ``deploy/security``: they work, and nothing is denied."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.exceptions import NoPermissionError

from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import redis_client
from streamgauge.serving.served_model import ServedModel
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.backup import restore, save
from streamgauge.state.keys import model_id, view_key
from streamgauge.state.spec_store import SpecStore
from streamgauge.state.views import ModelView
from streamgauge_client import AlarmEvent, Publisher, alarms
from tests.exposition.builders import alarm
from tests.integration.conftest import Kafka
from tests.integration.first_light import ROOT, produce, wait
from tests.integration.secured.kafka import SecureKafka
from tests.integration.secured.redis import SecureRedis
from tests.integration.secured.services import INGEST_TOKEN, STATE_KEY, Services
from tests.integration.test_first_light import samples, story

pytestmark = pytest.mark.integration
SERVICES = ("monitor", "learner", "exporter", "ingest", "notifier")
PREFIX, GROUP = "streamgauge", "streamgauge-monitor"


@pytest.fixture(scope="module")
def services(
    kafka_by_tls: SecureKafka, redis_by_tls: SecureRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """All of them, running since before the first event."""
    made = Services(kafka_by_tls, redis_by_tls, tmp_path_factory.mktemp("services"))
    root = redis_by_tls.root()
    root.acl_log_reset()
    for service in SERVICES:
        made.start(service)
    try:
        for name, port in made.ports.items():
            wait(lambda port=port: _ready(port), 60, f"{name}: {made.said(name.lower())[-2000:]}")  # type: ignore[misc]
        yield made
    finally:
        made.stop()
        root.close()


@pytest.fixture(scope="module")
def heard(services: Services) -> list[AlarmEvent]:
    """The alarms of a log with a fault in it, which a client sent by TLS."""
    kafka = services.kafka
    client = Kafka(kafka.listeners["SASL"], "real", librdkafka_security(kafka.security("client")))
    log, _ = story(12_000, hostile=False)
    produce(client, log, PREFIX, "fraud")
    found: list[AlarmEvent] = []
    subscriber = librdkafka_security(kafka.security("subscriber"))
    with alarms(
        kafka.listeners["SASL"], model="fraud", since="beginning", timeout=60, kafka=subscriber
    ) as subscription:
        for alarm in subscription:
            found.append(alarm)
            if alarm.status == "resolved":
                break
    return found


def _ready(port: int) -> bool:
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
    except (urllib.error.URLError, OSError):
        return False
    return bool(answer.status == 200)


def test_the_monitor_counts_and_alarms(services: Services, heard: list[AlarmEvent]) -> None:
    # Given a client, a monitor and a subscriber, each with its own rights
    # Then the fault is told, and its end
    assert [(a.kind, a.status, a.feature) for a in heard] == [
        ("feature_drift", "firing", "x2"),
        ("feature_drift", "resolved", "x2"),
    ]
    # And every event is counted, in Redis by TLS and in the exporter's figures
    root = services.redis.root()
    wait(lambda: _counted(root) == 12_000, 30, "not everything was counted")
    root.close()
    url = f"http://127.0.0.1:{services.ports['EXPORTER']}/metrics"

    def exported() -> bool:
        text = urllib.request.urlopen(url, timeout=5).read().decode()
        return sum(samples(text, 'streamgauge_predictions_total{model="fraud"').values()) == 12_000

    wait(exported, 20, "the metrics never said so")


def _counted(root: Any) -> int:
    for number in range(4):
        if (view := root.hget(view_key(GROUP, number), model_id("fraud"))) is not None:
            return int(orjson.loads(view)["series"][0]["counts"]["ok"])
    return 0


def test_the_notifier_brings_the_alarm(services: Services, heard: list[AlarmEvent]) -> None:
    wait(lambda: heard[0].summary in services.said("notifier"), 20, services.said("notifier"))


def test_ingest_takes_an_event_to_kafka(services: Services) -> None:
    event = {"prediction_id": "by-http", "model": "posted", "version": "1", "output": "yes"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{services.ports['INGEST']}/v1/events",
        data=orjson.dumps(event),
        headers={"content-type": "application/json", "authorization": f"Bearer {INGEST_TOKEN}"},
    )
    assert urllib.request.urlopen(request, timeout=10).status == 202


def test_somebody_acts_on_an_alarm_in_the_console(
    services: Services, heard: list[AlarmEvent]
) -> None:
    # Given an alarm that is open, as a monitor would show it
    held = ModelView(model="held", partition=0, alarms=[alarm(alarm_id="held-1", starts_at=1.0)])
    root = services.redis.root()
    root.hset(view_key(GROUP, 0), model_id("held"), held.model_dump_json())
    root.close()
    url = f"http://127.0.0.1:{services.ports['EXPORTER']}/api/alarms"
    wait(lambda: b'"held-1"' in urllib.request.urlopen(url, timeout=5).read(), 20, "not shown")
    # When it is taken, given back and judged
    for act, more in (("acknowledge", {}), ("lift", {}), ("judge", {"right": True})):
        request = urllib.request.Request(
            f"{url}/{act}",
            data=orjson.dumps({"alarm": "held-1", "by": "ann", **more}),
            headers={"content-type": "application/json", "x-streamgauge": "test"},
        )
        assert urllib.request.urlopen(request, timeout=20).status == 200
    # Then a subscriber hears of it
    kafka = services.kafka
    subscriber = librdkafka_security(kafka.security("subscriber"))
    with alarms(
        kafka.listeners["SASL"],
        status="acknowledged",
        since="beginning",
        timeout=20,
        kafka=subscriber,
    ) as subscription:
        taken = next(subscription)
    assert taken.model == "held" and taken.handling is not None and taken.handling.by == "ann"


LEARNED: dict[str, Any] = {
    "model": "learned",
    "task": "binary",
    "label_delay": {"max": "1m"},
    "learning": {
        "challengers": {"linear": {"estimator": "logistic_regression"}},
        "promotion": {"mode": "automatic", "period": 0, "cooldown": 0},
    },
}


def test_the_learner_promotes_what_a_service_then_serves(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a spec that an operator applied
    with redis_client(services.redis.settings("operator")) as operator:
        SpecStore(operator).apply(
            ModelSpec.from_document(LEARNED), now=time.time() - 60, by="operator"
        )
    # When a client sends the answers of a poor model, and what would have been right
    for name, value in services.environment("client").items():
        if name.startswith("STREAMGAUGE_KAFKA__"):
            monkeypatch.setenv(name, value)
    dice = random.Random(5)
    with Publisher(model="learned", version="1", heartbeat=False) as client:
        for _ in range(3_000):
            amount = dice.gauss(0.0, 1.0)
            answer = client.log(features={"amount": amount}, output=dice.choice(("no", "yes")))
            client.label(answer, "yes" if amount > 0 else "no")
        assert not client.flush(timeout=20)
    # Then a service that may only read finds the challenger in the poor model's place
    redis = redis_client(services.redis.settings("serving"))
    with redis, ServedModel("learned", redis=redis, key=STATE_KEY.encode()) as served:
        wait(lambda: served.version is not None, 30, services.said("learner")[-2_000:])
        assert served.ask({"amount": 2.0}).output == "yes"
        assert served.ask({"amount": -2.0}).output == "no"


def test_an_operator_saves_and_restores(services: Services) -> None:
    with redis_client(services.redis.settings("operator")) as operator:
        SpecStore(operator).apply(
            ModelSpec.from_document({"model": "saved"}), now=time.time(), by="operator"
        )
        content, kinds = save(operator, key=STATE_KEY.encode())
        assert kinds["specs"]
        assert restore(operator, content, key=STATE_KEY.encode(), over=True) == kinds


def test_the_publisher_goes_by_the_environment(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in services.environment("client").items():
        if name.startswith("STREAMGAUGE_KAFKA__"):
            monkeypatch.setenv(name, value)
    with Publisher(model="by-environment", version="1", heartbeat=False) as publisher:
        publisher.log(features={"amount": 1.0}, output=0.5)
        assert not publisher.flush(timeout=20)
        assert publisher.stats().delivered == 1, publisher.stats()


def test_nothing_was_denied_in_redis(services: Services, heard: list[AlarmEvent]) -> None:
    assert heard
    root = services.redis.root()
    denied = [
        (entry["username"], entry["reason"], entry["object"])
        for entry in root.acl_log()
        # redis-py tells its name to every server, and does not mind where it may not.
        if entry["object"] not in ("client|setinfo", "client|maint_notifications")
    ]
    root.close()
    assert denied == []


#: By command: whose need it is.
COMMANDS: dict[str, set[str]] = {
    "EVAL return(1) 0": {"monitor", "learner"},
    "CONFIG GET *": set(),
    "FLUSHALL": set(),
    "KEYS *": set(),
    "FUNCTION LIST": set(),
    "ACL LIST": set(),
    "SET streamgauge:ck:{streamgauge-monitor:0} x": {"monitor"},
    "HGETALL streamgauge:ck:{streamgauge-monitor:0}": {"monitor"},
    "HSET streamgauge:spec:x latest 1": {"operator"},
    "HSET streamgauge:alarm-handlings x 1": {"exporter", "operator"},
    "HDEL streamgauge:alarm-verdicts x": {"exporter", "operator"},
    "HSET streamgauge:view:{streamgauge-monitor:0} x 1": {"monitor"},
}


@pytest.mark.parametrize("user", [*SERVICES, "operator", "serving"])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_user_may_not(user: str, command: str, redis_by_tls: SecureRedis) -> None:
    if user in COMMANDS[command]:
        return
    client = redis_client(redis_by_tls.settings(user))
    with client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())  # type: ignore[no-untyped-call]


BROKEN = """
import services.worker as worker
from services.monitor.app import main

async def fails(config, **given):
    raise RuntimeError(f"injected: {config} {given}")

worker.run_worker = fails
main([])
"""


def test_a_traceback_holds_no_secret(services: Services, tmp_path: Path) -> None:
    # Given a monitor with a defect that throws all it was given
    environment = services.environment("monitor", MONITOR__PORT="0")
    # When it meets it
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Then the traceback says what happened, and no secret
    assert "RuntimeError: injected: WorkerConfig(" in done.stderr
    assert "canary" not in done.stderr.replace(str(tmp_path), "") + done.stdout


def test_no_secret_is_anywhere(services: Services, heard: list[AlarmEvent]) -> None:
    """Passwords are canaries: logs at debug level, metrics and the process list hold none."""
    assert heard
    secrets = {
        *services.kafka.passwords.values(),
        *services.redis.passwords.values(),
        STATE_KEY,
        INGEST_TOKEN,
    }
    places = {name: services.said(name) for name in SERVICES}
    for name, port in services.ports.items():
        for page in ("metrics", "readyz", "healthz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
                places[f"{name} /{page}"] = answer.read().decode()
    for commands in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            places[str(commands)] = commands.read_text(errors="replace")
        except OSError:
            continue
    found = [place for place, text in places.items() if any(each in text for each in secrets)]
    assert found == []
    assert all(places[name] for name in SERVICES)
