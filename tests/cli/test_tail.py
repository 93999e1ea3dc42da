"""``tail``: reading along on a topic, and how records are shown."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable

import pytest
from confluent_kafka import Producer
from typer.testing import Result

from streamgauge.cli.tail_lines import Seen, json_line, text_line

Run = Callable[..., Result]

PREDICTION = {
    "prediction_id": "p1",
    "model": "fraud",
    "version": "3.1",
    "output": {"label": "yes", "score": 0.934567},
    "latency_ms": 4.25,
    "features": {"amount": 12.5, "country": "SE"},
}


def seen(value: bytes | None, *, key: str = "fraud", **headers: str) -> Seen:
    class Message:
        def timestamp(self) -> tuple[int, int]:
            return 1, 1_700_000_000_000

        def topic(self) -> str:
            return "streamgauge.x"

        def partition(self) -> int:
            return 2

        def offset(self) -> int:
            return 7

        def key(self) -> bytes:
            return key.encode()

        def value(self) -> bytes | None:
            return value

        def headers(self) -> list[tuple[str, bytes]]:
            return [(name, text.encode()) for name, text in headers.items()]

    return Seen.of(Message())


@pytest.fixture
def prefix(broker: str) -> str:
    """Topics of one test's own, so that no test sees another's records."""
    return f"t{uuid.uuid4().hex[:8]}"


def publish(broker: str, topic: str, *records: tuple[str, bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": broker, "partitioner": "murmur2_random"})
    for key, value in records:
        producer.produce(topic, key=key.encode(), value=value)
    assert producer.flush(20) == 0


def event(model: str, **more: object) -> tuple[str, bytes]:
    return model, json.dumps({**PREDICTION, "model": model, **more}).encode()


def tail(run: Run, broker: str, prefix: str, *arguments: object) -> Result:
    env = {"STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix}
    return run("--kafka", broker, "tail", *arguments, env=env)


def test_the_past_of_a_topic(run: Run, broker: str, prefix: str) -> None:
    # Given events of two models, a bare string and a tombstone
    publish(
        broker,
        f"{prefix}.predictions",
        event("fraud"),
        event("churn", prediction_id="p2"),
        ("fraud", b'"\xff'),
        ("fraud", None),
    )
    # When one reads what is there
    everything = tail(run, broker, prefix, "predictions", "--from-beginning", "--no-follow")
    # Then all of it is shown
    assert everything.exit_code == 0, everything.stderr
    assert len(everything.stdout.splitlines()) == 4
    only = tail(
        run, broker, prefix, "predictions", "--from-beginning", "--no-follow", "-o", "json",
        "--model", "churn",
    )  # fmt: skip
    (document,) = [json.loads(line) for line in only.stdout.splitlines()]
    assert document["event"]["prediction_id"] == "p2"
    assert document["topic"] == f"{prefix}.predictions" and document["key"] == "churn"
    two = tail(run, broker, prefix, "predictions", "--from-beginning", "-n", "2")
    assert len(two.stdout.splitlines()) == 2


def test_without_anything_new_it_says_so(run: Run, broker: str, prefix: str) -> None:
    publish(broker, f"{prefix}.alarms", ("fraud", b"{}"))
    result = tail(run, broker, prefix, "alarms", "--no-follow")
    assert result.exit_code == 0 and result.stdout == ""
    assert result.stderr == f"nothing in {prefix}.alarms\n"


def test_following_shows_what_comes_and_stops_on_request(broker: str, prefix: str) -> None:
    topic = f"{prefix}.alarms"
    publish(broker, topic, event("old"))
    command = [sys.executable, "-u", "-m", "streamgauge.cli", "--kafka", broker, "tail", "alarms"]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix, "PATH": ""},
    )
    try:
        assert child.stderr is not None and child.stdout is not None
        assert child.stderr.readline() == f"following {topic} from now on; stop with Ctrl-C\n"
        alarm = {"status": "firing", "severity": "warning", "kind": "feature_drift"}
        alarm |= {"model": "new", "summary": "amount moved"}
        publish(broker, topic, ("new", json.dumps(alarm).encode()))
        line = child.stdout.readline()
        assert line.rstrip().endswith("new  FIRING warning feature_drift: amount moved")
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert "Traceback" not in child.stderr.read()
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_lines_for_people() -> None:
    line = text_line("predictions", seen(json.dumps(PREDICTION).encode()))
    assert line.startswith("2023-11-14 22:13:20 fraud  3.1 ok  output=yes (0.93457)  4.25 ms")
    assert line.endswith("amount=12.5 country=SE")
    beat = b'{"model": "fraud", "service": "checkout", "instance": "web-1"}'
    assert text_line("predictions", seen(beat)).endswith("heartbeat of checkout web-1")
    label = b'{"prediction_id": "p1", "model": "fraud", "label": null, "revision": 2}'
    assert text_line("labels", seen(label)).endswith("p1  withdrawn  revision 2")
    feedback = b'{"interaction_id": "i1", "model": "fraud", "kind": "redo"}'
    assert text_line("feedback", seen(feedback)).endswith("i1  redo")
    step = b'{"model": "fraud", "version": "2", "action": "promoted", "reason": "better"}'
    assert text_line("models", seen(step)).endswith("2 promoted  (better)")
    assert "not an event (3 bytes at 2/7)" in text_line("alarms", seen(b"\xff\xfe["))


def test_dead_letters_show_the_reason_and_never_the_payload_to_people() -> None:
    dead = seen(
        b'{"secret": "a@b.example"}',
        streamgauge_reason="schema",
        streamgauge_error="version is missing",
        streamgauge_topic="streamgauge.predictions",
        streamgauge_partition="3",
        streamgauge_offset="41",
    )
    line = text_line("dead-letters", dead)
    assert "schema  streamgauge.predictions/3/41  25 bytes  version is missing" in line
    assert "example" not in line
    assert json.loads(json_line(dead))["headers"]["streamgauge_offset"] == "41"


@pytest.mark.parametrize(
    ("value", "field", "content"),
    [
        (b'{"a": 1}', "event", {"a": 1}),
        (b'{"specversion": "1.0", "data": {"a": 1}}', "event", {"a": 1}),
        (b"plain", "text", "plain"),
        (b"\xff", "base64", "/w=="),
        (None, "event", None),
    ],
)
def test_json_lines_hold_whatever_came(value: bytes | None, field: str, content: object) -> None:
    assert json.loads(json_line(seen(value)))[field] == content


def test_whose_it_is() -> None:
    assert seen(b'{"model": "fraud"}', key="x").model == "fraud"
    assert seen(b"garbage", key="fraud/3").model == "fraud"
    assert seen(b"garbage", key="a/b").model == "a/b"


def test_strangers_do_not_write_on_the_terminal() -> None:
    hostile = {**PREDICTION, "version": "\x1b[2J\r\n", "features": {"\x07": "\u202e"}}
    line = text_line("predictions", seen(json.dumps(hostile).encode()))
    assert line.isprintable()
    huge = {**PREDICTION, "features": {"x" * 1000: 1}}
    assert len(text_line("predictions", seen(json.dumps(huge).encode()))) <= 400
