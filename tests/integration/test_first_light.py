"""From published predictions to alarms, views and metrics, by the processes that users run."""

from __future__ import annotations

import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from streamgauge.processing import LogRecord
from streamgauge.state.keys import model_id
from streamgauge_client import AlarmEvent, alarms
from tests.integration.conftest import Kafka
from tests.integration.first_light import Processes, oracle, produce, read_topic, wait
from tests.monitor.generate import between, stream
from tests.monitor.streams import record

HOSTILE = [
    None,
    b"\xff\xfe",
    b"{",
    b"[" * 10_000,
    b'{"prediction_id":"p","model":"fraud","version":"1","output":NaN}',
    b'{"prediction_id":"p","model":"fraud","version":"1"}',
    b'{"prediction_id":"p","model":"fraud","version":"1","output":1,"timestamp":4102444800}',
]


def to_fahrenheit(features: dict[str, Any]) -> None:
    features["x2"] = features["x2"] * 1.8 + 32


def story(rows: int, *, hostile: bool = True) -> tuple[list[LogRecord], int]:
    """A log of the last minutes with one broken minute in it, and rubbish; and how much of that."""
    begin = time.time() - rows / 200 - 5
    fault = between(rows // 2, rows * 3 // 4, to_fahrenheit)
    records: list[LogRecord] = []
    rubbish = 0
    for i, each in enumerate(stream(rows, fault=fault, start=begin)):
        records.append(each)
        if hostile and i % 100 == 50:
            records.append(record(0, HOSTILE[rubbish % len(HOSTILE)], 0.0))
            rubbish += 1
    return records, rubbish


@pytest.fixture
def processes(kafka: Kafka, real_redis: str, prefix: str) -> Iterator[Processes]:
    kafka.create_topics(prefix)
    made = Processes(kafka, real_redis, prefix)
    yield made
    made.stop()


def samples(text: str, name: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(name))
    return {labels: float(value) for labels, _, value in lines}


@pytest.mark.integration
def test_every_record_is_counted_the_fault_is_told_and_an_oracle_agrees(
    processes: Processes, kafka: Kafka, prefix: str
) -> None:
    # Given the monitor and the exporter, and a log with a fault and with rubbish in it
    processes.start("monitor")
    processes.start("exporter")
    # (4 MB: the embedded broker keeps five)
    log, rubbish = story(12_000)
    # When a generic client sends it
    sent = produce(kafka, log, prefix, "fraud")
    wait(lambda: processes.positions().get("predictions", 0) == sent, 60, "the log was not read")
    # Then the subscriber hears of the fault once, and of its end
    heard: list[AlarmEvent] = []
    with alarms(
        kafka.bootstrap_servers, since="beginning", topic_prefix=prefix, timeout=5
    ) as heard_of:
        for alarm in heard_of:
            heard.append(alarm)
            if alarm.status == "resolved":
                break
    assert [(a.kind, a.status, a.feature) for a in heard] == [
        ("feature_drift", "firing", "x2"),
        ("feature_drift", "resolved", "x2"),
    ]
    # And every dead letter has its bytes, its place and a reason
    dead = read_topic(kafka, f"{prefix}.dead-letters")
    places = {dict(letter.headers)["streamgauge_offset"] for letter in dead}
    assert len(places) == rubbish
    assert {letter.value for letter in dead} == set(HOSTILE)
    reasons = {dict(letter.headers)["streamgauge_reason"] for letter in dead}
    assert reasons == {b"decode", b"schema", b"future", b"too_large"}
    # And the views and the metrics say what an independent recount of the topic says
    published = read_topic(kafka, f"{prefix}.predictions")
    good = len(published) - rubbish
    counts = processes.model_view("fraud")["series"][0]["counts"]
    assert counts == {"ok": good, "error": 0, "fallback": 0}
    url = f"http://127.0.0.1:{processes.metrics_port}/metrics"
    text = ""

    def scraped() -> bool:
        nonlocal text
        try:
            text = urllib.request.urlopen(url, timeout=5).read().decode()
        except urllib.error.URLError:
            return False
        totals = samples(text, "streamgauge_predictions_total{")
        return sum(totals.values()) == good

    wait(scraped, 20, "the metrics never agreed with the recount")
    assert set(samples(text, "streamgauge_conservation_difference").values()) == {0.0}
    assert sum(samples(text, "streamgauge_dead_letters_total{").values()) == rubbish
    # And one pass without any worker gives the same alarms and the same bytes of state
    records = [r for r in published if r.partition == heard[0].shard]
    single, effects = oracle(records, prefix, time.time())
    assert [e.model_dump() for e in effects.events] == [a.model_dump() for a in heard]
    blob = single.dirty().blobs[model_id("fraud")]
    wait(lambda: processes.state("fraud") == blob, 10, "the state differs from a single pass")


@pytest.mark.alone
@pytest.mark.integration
def test_kill_9_in_the_middle_changes_nothing_but_the_time(
    real_kafka: Kafka, real_redis: str, prefix: str
) -> None:
    # Given a log that is sent over some seconds, and a monitor that is killed at random instants
    real_kafka.create_topics(prefix)
    processes = Processes(real_kafka, real_redis, prefix)
    log, rubbish = story(24_000)
    slices = [log[i : i + 250] for i in range(0, len(log), 250)]
    hurry = threading.Event()

    def send() -> None:
        for part in slices:
            produce(real_kafka, part, prefix, "fraud")
            hurry.wait(0.25)

    sender = threading.Thread(target=send)
    rng = random.Random(5)
    try:
        monitor = processes.start("monitor")
        sender.start()
        wait(lambda: processes.positions().get("predictions", 0) > 0, 30, "it never began")
        recoveries = []
        for _ in range(2):
            time.sleep(rng.uniform(0.1, 0.8))
            # When it is killed and started again
            monitor.send_signal(signal.SIGKILL)
            monitor.wait()
            since, killed = processes.positions()["predictions"], time.monotonic()
            monitor = processes.start("monitor")
            wait(
                lambda s=since: processes.positions()["predictions"] > s,  # type: ignore[misc]
                20,
                "it did not come back",
            )
            recoveries.append(time.monotonic() - killed)
        hurry.set()
        sender.join()
        wait(
            lambda: processes.positions()["predictions"] == len(log), 30, "not everything was read"
        )
        # Then it is back within eight seconds, each time
        assert max(recoveries) < 8, recoveries
        # And alarms, counts and state are those of one undisturbed pass
        published = read_topic(real_kafka, f"{prefix}.predictions")
        partition = published[0].partition
        single, effects = oracle(published, prefix, time.time())
        blob = single.dirty().blobs[model_id("fraud")]
        wait(lambda: processes.state("fraud") == blob, 10, "the state differs from a single pass")
        with alarms(
            real_kafka.bootstrap_servers, since="beginning", topic_prefix=prefix, timeout=3
        ) as found:
            heard = list(found)
        assert [a.model_dump() for a in heard] == [e.model_dump() for e in effects.events]
        view = next(v for v in processes.partition_views() if v["partition"] == partition)
        assert view["dead"] and sum(view["dead"].values()) == rubbish
        assert sum(view["counts"].values()) == len(log)
        dead = read_topic(real_kafka, f"{prefix}.dead-letters")
        assert len({dict(letter.headers)["streamgauge_offset"] for letter in dead}) == rubbish
        # And a stop is a stop: soon, and with nothing left to do again
        monitor.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert monitor.wait(timeout=10) == 0
        assert time.monotonic() - started < 5
    finally:
        hurry.set()
        processes.stop()


@pytest.mark.integration
def test_bare_json_of_any_client_is_enough(processes: Processes, kafka: Kafka, prefix: str) -> None:
    # Given an event with the four fields that are required and nothing else
    event = {"prediction_id": "1", "model": "tiny", "version": "1", "output": "yes"}
    processes.start("monitor")
    # When it is sent without headers and without a timestamp
    produce(kafka, [record(0, orjson.dumps(event), 0.0)], prefix, "tiny")
    # Then it counts, at the log's own time
    wait(lambda: processes.positions().get("predictions", 0) == 1, 30, "it was not read")
    view = processes.model_view("tiny")
    assert view["series"][0]["counts"]["ok"] == 1
    assert abs(view["last_event"] - time.time()) < 60
