"""How long an alarm takes: from the event that closes the window that shows it, to a subscriber."""

from __future__ import annotations

import bisect
import math
import threading
import time
from typing import Any

import pytest
from confluent_kafka import Producer

from services.stack.redis_server import EmbeddedRedis
from streamgauge_client import AlarmEvent, alarms
from streamgauge_client.keys import partition_key
from tests.integration.conftest import Kafka
from tests.integration.first_light import Processes, produce, wait
from tests.monitor.generate import between, stream

#: What the design promises at the 99th percentile; of ten alarms, that is the slowest.
PROMISED_SECONDS = 1.5
MODELS = [f"model-{i}" for i in range(10)]
#: Events a second of each model.
RATE = 40.0
HISTORY = int(60 * RATE)
LIVE = int(12 * RATE)
#: Windows of two seconds, so that the two of three that an alarm needs take six at most. History
#: and present begin with a pane, so that no window holds some of both.
WINDOWS = {"MIN_DURATION_SECONDS": 2.0, "MIN_EVENTS": 70}


def shift(features: dict[str, Any]) -> None:
    features["x0"] += 3.0


class Subscriber:
    """Notes when each alarm arrived, by the wall clock."""

    def __init__(self, kafka: Kafka, prefix: str) -> None:
        self.heard: list[tuple[AlarmEvent, float]] = []
        self._alarms = alarms(
            kafka.bootstrap_servers, since="latest", topic_prefix=prefix, timeout=60
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for alarm in self._alarms:
            self.heard.append((alarm, time.time()))

    def first_firing(self) -> dict[str, tuple[AlarmEvent, float]]:
        found: dict[str, tuple[AlarmEvent, float]] = {}
        for alarm, at in list(self.heard):
            if alarm.status == "firing":
                found.setdefault(alarm.model, (alarm, at))
        return found


def publish_live(
    kafka: Kafka, prefix: str, done: threading.Event
) -> dict[str, list[tuple[float, float]]]:
    """Send shifted events of all models as they happen; return when each was, and was sent.

    Records carry their events' times: were this thread held up for a second on a busy machine, the
    broker's clock would say that the next second's events are late.
    """
    begin = float(math.ceil(time.time() + 0.5))
    streams = [
        stream(
            LIVE,
            rate=RATE,
            features=2,
            seed=100 + i,
            model=model,
            first=HISTORY,
            fault=between(0, LIVE, shift),
            start=begin + i / RATE / len(MODELS),
        )
        for i, model in enumerate(MODELS)
    ]
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
        }
    )
    sent: dict[str, list[tuple[float, float]]] = {model: [] for model in MODELS}
    for row in zip(*streams, strict=True):
        if done.is_set():
            break
        for model, record in zip(MODELS, row, strict=True):
            if done.wait(max(0.0, record.timestamp - time.time())):
                break
            sent[model].append((record.timestamp, time.time()))
            producer.produce(
                f"{prefix}.predictions",
                key=partition_key(model, "", 1),
                value=record.value,
                timestamp=round(record.timestamp * 1000),
            )
            producer.poll(0)
    producer.flush(10)
    return sent


def seconds_to_alarm(kafka: Kafka, prefix: str) -> dict[str, float]:
    """How long each model's alarm took, from the event that closed its window to a subscriber."""
    kafka.create_topics(prefix)
    with EmbeddedRedis() as redis:
        processes = Processes(kafka, redis.url, prefix, monitoring=WINDOWS)
        try:
            return _seconds_to_alarm(processes, kafka, prefix)
        finally:
            processes.stop()


def _seconds_to_alarm(processes: Processes, kafka: Kafka, prefix: str) -> dict[str, float]:
    # Given ten models with a reference, learned from a minute that was sent at once
    begin = float(math.floor(time.time() - HISTORY / RATE - 5))
    sent = 0
    for i, model in enumerate(MODELS):
        history = stream(HISTORY, rate=RATE, features=2, seed=i, model=model, start=begin)
        sent += produce(kafka, history, prefix, model)
    processes.start("monitor")
    wait(lambda: processes.positions().get("predictions", 0) == sent, 30, "history was not read")
    subscriber = Subscriber(kafka, prefix)
    # When all of them shift, side by side, in events that are sent as they happen
    done = threading.Event()
    sent_at: dict[str, list[tuple[float, float]]] = {}
    sender = threading.Thread(target=lambda: sent_at.update(publish_live(kafka, prefix, done)))
    sender.start()
    try:
        wait(lambda: len(subscriber.first_firing()) == len(MODELS), 20, "an alarm is missing")
    finally:
        done.set()
        sender.join()
    took: dict[str, float] = {}
    for model, (alarm, heard_at) in subscriber.first_firing().items():
        assert alarm.feature == "x0"
        assert alarm.window is not None
        closing = bisect.bisect_left(sent_at[model], (alarm.window.end, 0.0))
        took[model] = heard_at - sent_at[model][closing][1]
    return took


@pytest.mark.alone
def test_an_alarm_arrives_within_its_promise(embedded_kafka: Kafka, prefix: str) -> None:
    tries: list[dict[str, float]] = []
    # What else runs on the machine may hold up one try, and hardly three.
    while len(tries) < 3:
        tries.append(seconds_to_alarm(embedded_kafka, f"{prefix}-{len(tries)}"))
        if max(tries[-1].values()) <= PROMISED_SECONDS:
            return
    pytest.fail(f"{PROMISED_SECONDS} s are promised: {tries}")
