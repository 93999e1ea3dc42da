"""The notifier as a process, on an embedded broker and Redis, before a receiver that remembers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from services.notifier.sinks import configured_sinks
from services.stack.broker import EmbeddedBroker
from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis
from streamgauge.settings import NotifierSettings, SettingsError, SinkSettings
from streamgauge_client import AlarmEvent, encode
from streamgauge_client.webhooks import verify

ROOT = Path(__file__).parents[2]
SECRET = "canary-0123456789abcdef"


def until(condition: Callable[[], Any], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@dataclass
class Call:
    path: str
    alarm_id: str
    body: dict[str, Any]
    accepted: bool


@dataclass
class Receiver:
    """Verifies, answers as it is told for a path and an alarm, and remembers all of it."""

    calls: list[Call] = field(default_factory=list)
    #: Status by path and alarm; 200 where there is none.
    answers: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(lambda: 200))
    #: Paths that do not answer until the event is set.
    hanging: dict[str, threading.Event] = field(default_factory=dict)
    port: int = 0

    def accepted(self, path: str) -> list[str]:
        return [call.alarm_id for call in self.calls if call.path == path and call.accepted]

    def attempts(self, path: str, alarm_id: str) -> int:
        return sum(call.path == path and call.alarm_id == alarm_id for call in self.calls)

    def take(self, path: str, headers: Any, body: bytes) -> int:
        verify(body, headers["X-Streamgauge-Signature"], SECRET)
        if path in self.hanging:
            self.hanging[path].wait(20)
        document = json.loads(body)
        alarm_id = document.get("alarm_id") or document["alerts"][0]["annotations"]["alarm_id"]
        assert headers["Idempotency-Key"] == alarm_id
        status = self.answers[path, alarm_id]
        self.calls.append(Call(path, alarm_id, document, status == 200))
        return status


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status = made.take(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    for event in made.hanging.values():
        event.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


class Bench:
    """One topic of its own, and notifiers on it."""

    def __init__(self, kafka: str, redis_url: str, prefix: str, receiver: Receiver) -> None:
        self.prefix, self.receiver = prefix, receiver
        self.port = free_port()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")},
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
            "STREAMGAUGE_REDIS__URL": redis_url,
            "STREAMGAUGE_NOTIFIER__GROUP": prefix,
            "STREAMGAUGE_NOTIFIER__PORT": str(self.port),
            "STREAMGAUGE_NOTIFIER__FIRST_RETRY_SECONDS": "0.05",
            "STREAMGAUGE_NOTIFIER__LONGEST_RETRY_SECONDS": "0.2",
            "STREAMGAUGE_NOTIFIER__MAX_ATTEMPTS": "100000",
        }
        self.processes: list[subprocess.Popen[str]] = []
        self._producer = Producer({"bootstrap.servers": kafka, "linger.ms": 0})
        self._producer.list_topics(f"{prefix}.alarms", timeout=10)

    def sink(self, name: str, **options: str) -> None:
        """A webhook at the receiver's path of that name."""
        given = {
            "type": "webhook",
            "url": f"http://127.0.0.1:{self.receiver.port}/{name}",
            "secret": SECRET,
            "allow_private": "true",
            **options,
        }
        for key, value in given.items():
            self.environment[f"STREAMGAUGE_NOTIFIER__SINKS__{name.upper()}__{key.upper()}"] = value

    def start(self, *arguments: str, ready: bool = True) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.notifier", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        if ready:
            until(lambda: self.get("readyz")[0] == 200 or process.poll() is not None)
            assert process.poll() is None, process.communicate()[0]
        return process

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=5) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def counted(self, sink: str, outcome: str) -> int:
        line = f'streamgauge_notifications_total{{outcome="{outcome}",sink="{sink}"}} '
        found = [text for text in self.get("metrics")[1].splitlines() if text.startswith(line)]
        return int(float(found[0].rpartition(" ")[2])) if found else 0

    def publish(self, *ids: str, **fields: Any) -> None:
        for each in ids:
            given = {
                "alarm_id": each,
                "fingerprint": "fraud-features",
                "status": "firing",
                "severity": "warning",
                "kind": "feature_drift",
                "scope": {},
                "model": "fraud",
                "summary": f"alarm {each}",
                **fields,
            }
            event = AlarmEvent.model_validate(given)
            encoded = encode(event, source="/tests")
            self._producer.produce(
                f"{self.prefix}.alarms",
                value=encoded.value,
                headers=encoded.headers,
                key=event.model.encode(),
            )
        assert self._producer.flush(10) == 0

    def end(self, process: subprocess.Popen[str]) -> str:
        process.terminate()
        output: str = process.communicate(timeout=15)[0]
        assert process.returncode == 0, output
        return output


@pytest.fixture
def bench(
    kafka: str, redis_url: str, receiver: Receiver, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    made = Bench(kafka, redis_url, request.node.name.replace("_", "-")[:60], receiver)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_each_alarm_arrives_once_and_in_order_across_a_kill(
    bench: Bench, receiver: Receiver
) -> None:
    # Given a sink that has two alarms, fails on the third, and has two more of its cause behind
    bench.sink("pager")
    bench.sink("chat", format="alertmanager")
    receiver.answers["/pager", "a3"] = 500
    process = bench.start()
    bench.publish("a1", "a2", "a3", "a4", "a5")
    bench.publish("b1", "b2", fingerprint="another cause")
    until(lambda: receiver.attempts("/pager", "a3") >= 3)
    until(lambda: bench.counted("pager", "delivered") == 4)
    until(lambda: bench.counted("chat", "delivered") == 7)
    # Then neither another cause nor another sink waits for it, and the notifier says so
    assert Counter(receiver.accepted("/pager")) == Counter(["a1", "a2", "b1", "b2"])
    status, said = bench.get("readyz")
    assert status == 503 and "sink pager does not take alarms" in said and "HTTP 500" in said
    # When it is killed, an alarm comes meanwhile, and it starts anew before a sink that works
    process.kill()
    process.communicate()
    bench.publish("a6")
    receiver.answers.clear()
    process = bench.start()
    until(lambda: len(receiver.accepted("/pager")) == 8 and len(receiver.accepted("/chat")) == 8)
    bench.publish("taken", status="acknowledged")
    bench.publish("a7")
    until(lambda: "a7" in receiver.accepted("/pager") and "a7" in receiver.accepted("/chat"))
    # Then that somebody has it reached who has a word for it
    assert "taken" in receiver.accepted("/pager")
    assert "taken" not in receiver.accepted("/chat")
    # Then each arrived once at each sink, and those of one cause in their order
    for path in ("/pager", "/chat"):
        accepted = receiver.accepted(path)
        assert [each for each in accepted if each.startswith("a")] == [f"a{n}" for n in range(1, 8)]
        assert [each for each in accepted if each.startswith("b")] == ["b1", "b2"]
    output = bench.end(process)
    assert SECRET not in output


def test_what_is_refused_is_given_up_and_told(bench: Bench, receiver: Receiver) -> None:
    # Given a sink for fraud's warnings alone, that refuses the first of them
    bench.sink("pager", severity="warning", models="fr*d")
    receiver.answers["/pager", "refused"] = 400
    process = bench.start()
    # When alarms come that it takes, refuses, and never sees
    bench.publish("small", severity="info")
    bench.publish("of another", model="churn")
    bench.publish("refused")
    until(lambda: bench.counted("pager", "refused") == 1)
    # Then it is tried once, and everybody who asks is told
    status, said = bench.get("readyz")
    assert status == 503 and "1 given up" in said and "HTTP 400" in said
    bench.publish("good", status="resolved")
    until(lambda: receiver.accepted("/pager") == ["good"])
    assert [call.alarm_id for call in receiver.calls] == ["refused", "good"]
    until(lambda: bench.get("readyz")[0] == 200)
    output = bench.end(process)
    assert "alarm refused is given up (refused): HTTP 400. It said: alarm refused" in output


def test_a_hanging_sink_holds_up_neither_another_nor_the_end(
    bench: Bench, receiver: Receiver
) -> None:
    receiver.hanging["/slow"] = threading.Event()
    bench.sink("slow")
    bench.sink("quick")
    process = bench.start()
    bench.publish("a", "b", "c")
    until(lambda: receiver.accepted("/quick") == ["a", "b", "c"], seconds=10)
    assert receiver.accepted("/slow") == []
    started = time.monotonic()
    bench.end(process)
    assert time.monotonic() - started < 8.0


def test_without_redis_alarms_go_out_and_without_sinks_to_the_log(
    kafka: str, receiver: Receiver
) -> None:
    # Given neither Redis nor a sink
    bench = Bench(kafka, "redis://127.0.0.1:1/0", "without-anything", receiver)
    process = bench.start(ready=False)
    # When an alarm comes, Then it is in the log, and the absence is told
    try:
        until(lambda: "sink log" not in bench.get("readyz")[1] and bench.get("readyz")[0] == 503)
        assert "Redis does not answer: alarms go out, and may come twice" in bench.get("readyz")[1]
        bench.publish("a")
        until(lambda: bench.counted("log", "delivered") == 1)
        assert bench.get("healthz")[0] == 200
    finally:
        process.terminate()
        output = process.communicate(timeout=15)[0]
    assert "FIRING warning: alarm a | model fraud, kind feature_drift" in output


def test_a_trial_says_of_each_sink_what_happened(bench: Bench, receiver: Receiver) -> None:
    bench.sink("good", severity="critical", models="none")
    bench.sink("bad")
    bench.sink("away", url="http://127.0.0.1:1/canary-path")
    bench.environment["STREAMGAUGE_NOTIFIER__SINKS__BOOK__TYPE"] = "log"

    class Refusing(defaultdict[tuple[str, str], int]):
        def __missing__(self, key: tuple[str, str]) -> int:
            return 404 if key[0] == "/bad" else 200

    receiver.answers = Refusing()
    process = bench.start("--test", ready=False)
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    said = [line for line in output.splitlines() if line.startswith("sink ")]
    assert said == [
        "sink good (webhook) took it",
        "sink bad (webhook) did not take it: HTTP 404",
        "sink away (webhook) did not take it: http://127.0.0.1:1: Connection refused (an alarm"
        " would be tried again)",
        "sink book (log) took it",
    ]
    assert "canary" not in output
    assert "This is a test" in receiver.calls[0].body["text"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"type": "webhok", "url": "https://h.example/"}, "did you mean 'webhook'?"),
        ({"type": "webhook"}, "a webhook needs a url"),
        ({"type": "log", "url": "https://h.example/"}, "a log has no url"),
        ({"type": "log", "secret": "x" * 20}, "has no parameter 'secret'"),
        ({"type": "webhook", "url": "http://h.example/canary"}, "http is not encrypted"),
        ({"type": "webhook", "url": "https://127.1/canary"}, "an address in another form"),
        ({"type": "webhook", "url": "https://10.0.0.1/canary"}, "without allow_private"),
        ({"type": "webhook", "url": "https://evil.example/"}, "not among the allowed hosts"),
        ({"type": "webhook", "url": "https://h.example/", "secret": "canary"}, "at least 16"),
        ({"type": "webhook", "url": "https://h.example/", "format": "slack"}, "there are: stream"),
    ],
    ids=str,
)
def test_a_sink_that_cannot_be_is_refused_at_the_start(options: dict[str, str], said: str) -> None:
    settings = NotifierSettings(
        sinks={"pager": SinkSettings.model_validate(options)},
        allowed_hosts=("h.example", "127.1", "10.0.0.1"),
    )
    with pytest.raises(SettingsError) as caught:
        configured_sinks(settings)
    assert str(caught.value).startswith("notifier.sinks.pager: ") and said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_mistake_is_one_line_and_exit_code_two(bench: Bench) -> None:
    bench.sink("pager", url="https://user:canary@127.0.0.1/")
    process = bench.start(ready=False)
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 2
    assert output == (
        "notifier.sinks.pager: the URL holds user information before an @; take it out\n"
    )
