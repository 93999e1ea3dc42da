"""The ingest service as it is run: a process, a broker, a Redis, and a logger that posts to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from redis import Redis

from services.ingest.command import main
from services.stack.broker import EmbeddedBroker
from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis
from streamgauge.batch.decode import decode
from streamgauge.batch.structs import Prediction
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.keys import process_key
from streamgauge.state.spec_store import SpecStore

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "streamgauge.predictions"
TOKEN = "canary-" + "t" * 32
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")}


def redis_failed(metrics: str) -> bool:
    """Whether a call to Redis failed. The counter stands at 0 before."""
    return re.search(r"^streamgauge_redis_errors_total\{.*\} [1-9]", metrics, re.M) is not None


def wait_for(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


@dataclass
class Running:
    """The process, where it listens, and the file with everything it says."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    kafka: str

    def post(
        self, body: object, *, path: str = "/v1/events", token: str | None = TOKEN, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        told = {"content-type": "application/json", **headers}
        if token is not None:
            told["authorization"] = f"Bearer {token}"
        named = {name.replace("_", "-"): value for name, value in told.items()}
        request = urllib.request.Request(self.url + path, data=data, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, orjson.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, orjson.loads(error.read())

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_ready(self) -> None:
        wait_for(lambda: self.get("/readyz")[0] == 200)

    def stop(self) -> str:
        """End it; what it said in all."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        return self.log.read_text()


Launch = Callable[..., Running]


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Starts the service and waits until it listens; ends all of them."""
    started: list[Running] = []

    def start(kafka: str, redis: str, **environment: str) -> Running:
        log = tmp_path_factory.mktemp("ingest") / "log"
        token = "STREAMGAUGE_INGEST__TOKEN"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.ingest", "--port", "0"],
                cwd=ROOT,
                env={
                    **CLEAN,
                    **({} if f"{token}_FILE" in environment else {token: TOKEN}),
                    "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": kafka,
                    "STREAMGAUGE_REDIS__URL": redis,
                    "STREAMGAUGE_INGEST__INSTANCE": "i-1",
                    **environment,
                },
                stderr=file,
            )
        running = Running(process, "", log, kafka)
        started.append(running)
        deadline = time.monotonic() + 30
        while not running.url:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
            found = re.search(r"^ingest: (\S+)/v1/events$", log.read_text(), re.MULTILINE)
            running.url = found[1] if found else ""
        return running

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def parts() -> Iterator[tuple[str, str]]:
    with EmbeddedBroker([TOPIC]) as broker, EmbeddedRedis("fake") as redis:
        yield broker.bootstrap_servers, redis.url


@pytest.fixture(scope="module")
def ingest(parts: tuple[str, str], launch: Launch) -> Running:
    running = launch(*parts, STREAMGAUGE_INGEST__JOIN_SECONDS="1.5", STREAMGAUGE_PRIVACY__KEY="k")
    running.wait_ready()
    return running


def on_log(kafka: str, model: str, *, count: int) -> list[Message]:
    """Records of a model; waits until there are so many."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "test", "log_level": 0})
    found: list[Message] = []
    deadline = time.monotonic() + 15
    try:
        consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in range(4)])
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} records came"
            message = consumer.poll(0.2)
            if message is not None and message.error() is None and message.key() == model.encode():
                found.append(message)
        return found
    finally:
        consumer.close()


def as_the_monitor_does(messages: Sequence[Message]) -> list[Prediction]:
    events = []
    for message in messages:
        headers = tuple((name, bytes(value)) for name, value in message.headers() or ())
        stamp = message.timestamp()[1] / 1000
        event = decode(LogRecord(TOPIC, 0, 0, stamp, message.key(), headers, message.value()))
        assert isinstance(event, Prediction), event
        events.append(event)
    return events


def test_every_door_leads_to_the_log(ingest: Running) -> None:
    event = {"prediction_id": "p", "model": "doors", "version": "1", "output": 0.5}
    envelope = {
        "specversion": "1.0",
        "id": "e",
        "source": "/s",
        "type": "streamgauge.prediction.v1",
        "data": event,
    }
    typed = {"ce_type": "streamgauge.prediction.v1", "ce_id": "e", "ce_source": "/s"}
    batch = "application/cloudevents-batch+json"
    lines = orjson.dumps(event) + b"\n" + orjson.dumps(envelope)
    for body, headers in (
        (event, {}),
        (event, {**typed, "ce_specversion": "1.0"}),
        (envelope, {"content_type": "application/cloudevents+json"}),
        ([envelope, envelope], {"content_type": batch}),
        (lines, {"content_type": "application/jsonl"}),
    ):
        status, answer = ingest.post(body, **headers)
        assert status == 202, answer
    events = as_the_monitor_does(on_log(ingest.kafka, "doors", count=7))
    assert {event.prediction_id for event in events} == {"p"}
    status, answer = ingest.post({**event, "latency_ms": "4"})
    assert (status, answer["refused"][0]["field"]) == (422, "latency_ms")


def test_a_kserve_logger_posts_from_five_workers(ingest: Running) -> None:
    # Given what KServe's logger sends: both halves of a call, each in a request of its own
    calls = 40

    def log(kind: str, number: int, body: dict[str, Any]) -> None:
        status, answer = ingest.post(
            body,
            ce_specversion="1.0",
            ce_id=f"call-{number}",
            ce_type=f"org.kubeflow.serving.inference.{kind}",
            ce_source="http://localhost:9081/",
            ce_time="2026-01-01T00:00:00Z",
            ce_inferenceservicename="iris",
            ce_namespace="bank",
            ce_component="predictor",
            ce_endpoint="default",
            ce_metadata='{"Authorization":["canary-secret"]}',
            ce_traceparent="00-1-1-00",
        )
        assert status == 202, answer

    def worker(share: range) -> None:
        for number in share:
            log("request", number, {"instances": [{"petal": number}, {"petal": -number}]})
            if number % 10:
                log("response", number, {"predictions": [0.25, 0.75]})

    # When five workers send, and of every tenth call the response is missing
    workers = [threading.Thread(target=worker, args=(range(n, calls, 5),)) for n in range(5)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    # And of one call the response alone comes
    log("response", 999, {"predictions": [0.5]})
    # Then there are two predictions of each whole call, and one of the lone response
    messages = on_log(ingest.kafka, "iris", count=2 * 36 + 1)
    events = as_the_monitor_does(messages)
    ids = {event.prediction_id for event in events}
    assert ids == {f"call-{n}-{row}" for n in range(calls) if n % 10 for row in (0, 1)} | {
        "call-999"
    }
    for event in events:
        number, _, row = event.prediction_id.removeprefix("call-").partition("-")
        if number != "999":
            assert event.features == {"petal": float(number) * (1 if row == "0" else -1)}
            assert event.output == (0.25 if row == "0" else 0.75)
    assert {event.tags["namespace"] for event in events} == {"bank"}
    assert all(b"canary" not in (message.value() or b"") for message in messages)
    assert "canary" not in repr([message.headers() for message in messages])
    # And what has no other half is counted
    _, text = ingest.get("/metrics")
    assert 'streamgauge_ingest_call_halves_total{outcome="joined"} 36.0' in text
    lone = 'call_halves_total{outcome="lone_request"} 4.0'
    wait_for(lambda: lone in ingest.get("/metrics")[1])


def test_a_specs_privacy_is_kept_a_second_after_it_is_applied(
    ingest: Running, parts: tuple[str, str]
) -> None:
    event = {
        "prediction_id": "p",
        "model": "private",
        "version": "1",
        "output": 1,
        "features": {"mail": "anna@example.org", "age": 47},
    }
    client = Redis.from_url(parts[1])
    spec = ModelSpec.from_document(
        {"model": "private", "privacy": {"mail": "hash", "age": {"bucket": 10}}}
    )
    SpecStore(client).apply(spec, now=time.time(), by="test")
    deadline = time.monotonic() + 10
    count = 0
    while True:
        assert ingest.post(event)[0] == 202
        count += 1
        last = json.loads(on_log(ingest.kafka, "private", count=count)[-1].value() or b"")
        if last["features"]["mail"].startswith("h:"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert last["features"]["age"] == 40
    # And it says that it runs, in a key that expires
    assert 0 < int(client.ttl(process_key("ingest", "i-1"))) <= 15
    client.close()


def test_kafka_away_is_503_within_a_bounded_time(parts: tuple[str, str], launch: Launch) -> None:
    event = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}
    running = launch(f"127.0.0.1:{free_port()}", parts[1], STREAMGAUGE_INGEST__ACK_SECONDS="0.5")
    wait_for(lambda: "Kafka" in running.get("/readyz")[1])
    assert running.get("/readyz")[0] == 503
    started = time.monotonic()
    status, answer = running.post(event)
    assert (status, answer["accepted"]) == (503, 0)
    assert time.monotonic() - started < 10
    assert running.get("/healthz")[0] == 200
    wait_for(lambda: "streamgauge_ingest_kafka_up 0.0" in running.get("/metrics")[1])


def test_redis_away_from_the_start_takes_nothing(parts: tuple[str, str], launch: Launch) -> None:
    # Given no Redis, and a secret in its address, which is nobody's to read
    running = launch(parts[0], f"redis://:canary-redis@127.0.0.1:{free_port()}/0")
    # Then what has not happened is counted all the same, for the first one to be a rise
    shown = running.get("/metrics")[1]
    assert 'ingest_refused_events_total{reason="schema"} 0.0' in shown
    assert 'ingest_events_total{kind="label",outcome="failed"} 0.0' in shown
    # When something is posted, Then it is sent away, because nobody knows what may be kept
    status, answer = running.post({})
    assert (status, "privacy policies" in answer["detail"]) == (503, True)
    assert running.get("/readyz")[0] == 503
    assert running.get("/healthz")[0] == 200
    # And whoever has no token does not even learn that
    assert running.post({}, token=None)[0] == 401
    wait_for(lambda: redis_failed(running.get("/metrics")[1]))
    shown = running.get("/metrics")[1]
    said = running.stop()
    assert running.process.returncode == 0
    assert "canary" not in said + shown


def test_redis_that_goes_away_leaves_the_known_policies(
    parts: tuple[str, str], launch: Launch
) -> None:
    # Given a policy that was read
    with EmbeddedRedis("fake") as server:
        client = Redis.from_url(server.url)
        spec = ModelSpec.from_document({"model": "held", "privacy": {"mail": "drop"}})
        SpecStore(client).apply(spec, now=time.time(), by="test")
        client.close()
        running = launch(parts[0], server.url)
        running.wait_ready()
    # When Redis is gone
    wait_for(lambda: redis_failed(running.get("/metrics")[1]))
    event = {
        "prediction_id": "p",
        "model": "held",
        "version": "1",
        "output": 1,
        "features": {"mail": "anna@example.org", "a": 1},
    }
    # Then it holds, and events are taken
    assert running.post(event)[0] == 202
    assert running.get("/readyz")[0] == 200
    (message,) = on_log(parts[0], "held", count=1)
    assert json.loads(message.value() or b"")["features"] == {"a": 1}


def test_a_token_may_stand_in_a_file(
    parts: tuple[str, str], launch: Launch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{'n' * 40}\n{TOKEN}\n")
    running = launch(*parts, STREAMGAUGE_INGEST__TOKEN_FILE=str(file))
    running.wait_ready()
    for token, status in ((TOKEN, 422), ("n" * 40, 422), ("x" * 40, 401)):
        assert running.post({}, token=token)[0] == status


class TestRefusalsToStart:
    @pytest.fixture(autouse=True)
    def no_settings(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in os.environ.keys() - CLEAN.keys():
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3"])
    def test_for_everybody_without_a_token(
        self, host: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--host", host, "--port", "0"]) == 2
        assert "STREAMGAUGE_INGEST__TOKEN" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("variable", "value", "told"),
        [
            ("STREAMGAUGE_INGEST__TOKEN", "canary-short", "shorter than 32 bytes"),
            ("STREAMGAUGE_INGEST__TOKEN_FILE", "/nowhere", "can't be read"),
            ("STREAMGAUGE_INGEST__TOKN", "canary", "did you mean 'token'?"),
            ("STREAMGAUGE_INGEST__MAX_EVENTS", "0", "STREAMGAUGE_INGEST__MAX_EVENTS"),
            ("STREAMGAUGE_REDIS__URL", "http://:canary@host", "STREAMGAUGE_REDIS__URL can't be"),
        ],
    )
    def test_for_a_mistake_in_the_settings(
        self,
        variable: str,
        value: str,
        told: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv(variable, value)
        assert main([]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert "canary" not in said

    def test_for_a_port_in_use(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            assert main(["--port", str(taken.getsockname()[1])]) == 1
        said = capsys.readouterr().err
        assert "the port is in use" in said and "STREAMGAUGE_INGEST__PORT" in said
