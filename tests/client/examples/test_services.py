"""The examples that users copy: they run, and what they publish is valid and arrives."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from services.stack.broker import EmbeddedBroker
from streamgauge_client import (
    FeedbackEvent,
    LabelEvent,
    PredictionEvent,
    ScoredLabel,
    decode,
)
from streamgauge_client.testing import capture

SERVICES = Path(__file__).parents[3] / "schemas" / "examples" / "services"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PAYMENT = {"amount": 900.0, "country": "SE", "age": 47}
ReadTopic = Callable[[str, int], list[Any]]


@pytest.fixture
def load() -> Callable[[str], ModuleType]:
    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, SERVICES / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # FastAPI reads the annotations of a module by its name.
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_fastapi(load: Callable[[str], ModuleType]) -> None:
    service = load("fastapi_service")
    # When a payment is judged, another is malformed, and weeks later the first was fraud
    with capture() as events:
        async with client_of(service.app) as client:
            answer = await client.post("/payments", json=PAYMENT)
            refused = await client.post("/payments", json={"amount": "much"})
            prediction_id = answer.headers["x-prediction-id"]
            charged = await client.post(f"/payments/{prediction_id}/chargeback")
    # Then its users got what they always got
    assert answer.json() == {"accepted": False, "risk": 0.9}
    assert (refused.status_code, charged.status_code) == (422, 204)
    # And the monitor a prediction with its label
    assert events.invalid == []
    (prediction,) = events.of(PredictionEvent)
    (label,) = events.of(LabelEvent)
    assert prediction.prediction_id == label.prediction_id == prediction_id
    assert prediction.features == {"amount": 900.0, "country": "SE", "age": 40}
    assert prediction.output == ScoredLabel(label="true", score=0.9) and label.label == "true"
    assert prediction.segment == {"country": "SE"} and prediction.latency_ms is not None
    now = service.publisher.requests.snapshot()
    assert (now.started, now.errors, now.in_flight) == (3, 0, 0)


def test_flask(load: Callable[[str], ModuleType]) -> None:
    service = load("flask_service")
    asked = {"text": "Guten Morgen", "to": "en", "user": "anna@example.org"}
    with capture() as events:
        client = service.app.test_client()
        # Buffered: the response is read to its end and closed, as by a server.
        session = {"X-Session-Id": "s-1"}
        answer = client.post("/translations", json=asked, headers=session, buffered=True)
        prediction_id = answer.get_json()["id"]
        assert answer.headers["X-Prediction-Id"] == prediction_id
        redone = client.post(f"/translations/{prediction_id}/redo", buffered=True)
        failed = client.post("/translations", json={"text": "x"}, buffered=True)
    assert (redone.status_code, failed.status_code) == (204, 500)
    assert events.invalid == []
    (prediction,) = events.of(PredictionEvent)
    (feedback,) = events.of(FeedbackEvent)
    assert prediction.prediction_id == feedback.prediction_id == prediction_id
    assert prediction.features == {"characters": 12, "to": "en"}
    assert prediction.interaction_id == "s-1" and prediction.output == 0.9
    assert "Morgen" not in repr(events) and "anna" not in repr(events)
    now = service.publisher.requests.snapshot()
    assert (now.started, now.errors, now.in_flight) == (3, 1, 0)


_SERVE = """
import asyncio, sys
sys.path.insert(0, {services!r})
import httpx
from fastapi_service import app, publisher

async def main():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for number in range(20):
            answer = await client.post(
                "/payments",
                json={{"amount": 50.0 * number, "country": "SE", "age": 47}},
                headers={{"traceparent": {trace!r}}},
            )
            await client.post(f"/payments/{{answer.headers['x-prediction-id']}}/chargeback")

asyncio.run(main())
"""


def test_all_of_it_arrives_on_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own that ends as services do: what it published is drained at its exit."""
    from confluent_kafka import Consumer, TopicPartition

    topics = ["streamgauge.predictions", "streamgauge.labels"]
    with EmbeddedBroker(topics) as broker:
        # Given the FastAPI example with nothing but an address, as it would be deployed
        script = _SERVE.format(services=str(SERVICES), trace=TRACE)
        environment = {
            **os.environ,
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        }
        subprocess.run(
            [sys.executable, "-W", "error", "-c", script], env=environment, check=True, timeout=60
        )
        # When its topics are read
        consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "tests"})
        consumer.assign([TopicPartition(topic, p, 0) for topic in topics for p in range(4)])
        messages: list[Any] = []
        while len(messages) < 40:
            batch = consumer.consume(40, timeout=20)
            assert batch, f"only {len(messages)} arrived"
            messages += batch
        consumer.close()
    # Then all is there, numbered without a gap, traced, and each label has its prediction
    ids: dict[str, set[str]] = {}
    for topic in topics:
        of_topic = [message for message in messages if message.topic() == topic]
        numbers = [dict(m.headers())["ce_sequence"].split(b"-")[1] for m in of_topic]
        assert [int(number) for number in numbers] == list(range(20))
        events = [decode(topic, m.headers(), m.value()) for m in of_topic]
        ids[topic] = {event.prediction_id for event in events}  # type: ignore[attr-defined]
    assert len(ids[topics[0]]) == 20 and ids[topics[0]] == ids[topics[1]]
    predictions = [message for message in messages if message.topic() == topics[0]]
    for name in ("traceparent", "ce_traceparent"):
        assert {dict(message.headers())[name] for message in predictions} == {TRACE.encode()}
