"""The envelope: CloudEvents in Kafka's binary mode, with the CloudEvents package as the oracle."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from streamgauge_client import (
    EVENTS,
    DecodeError,
    LabelEvent,
    PredictionEvent,
    Publisher,
    TelemetryEvent,
    decode,
    encode,
)
from streamgauge_client.recording import recorders

EXAMPLES = sorted((Path(__file__).parents[2] / "schemas" / "examples").glob("*/1/*.json"))
MOMENT = datetime(2026, 11, 21, 8, 30, 15, 250000, UTC)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
class TestEveryExample:
    def test_comes_back_as_it_went(self, path: Path) -> None:
        event = EVENTS[path.parts[-3]].model_validate_json(path.read_bytes())
        encoded = encode(event, source="/tests")
        assert decode("any.topic", encoded.headers, encoded.value) == event

    def test_is_what_the_cloudevents_package_would_write(self, path: Path) -> None:
        name = path.parts[-3]
        event = EVENTS[name].model_validate_json(path.read_bytes())
        encoded = encode(event, source="/tests", event_id="e-1", time=MOMENT.timestamp())
        theirs = to_binary(
            CloudEvent(
                attributes={
                    "specversion": "1.0",
                    "id": "e-1",
                    "type": f"streamgauge.{name}.v1",
                    "source": "/tests",
                    "time": MOMENT,
                    "subject": json.loads(path.read_bytes())["model"],
                    "datacontenttype": "application/json",
                },
                data=json.loads(encoded.value),
            ),
            JSONFormat(),
        )
        assert dict(encoded.headers) == theirs.headers
        assert json.loads(encoded.value) == json.loads(theirs.value)


def test_encoding_is_a_pure_function() -> None:
    event = LabelEvent(prediction_id="p-1", model="fraud", label=None)
    first = encode(event, source="/tests")
    assert first == encode(event, source="/tests")
    assert "ce_time" not in dict(first.headers)
    # A null label withdraws, so it must be on the wire.
    assert json.loads(first.value)["label"] is None


def test_ids_are_the_events_own_where_they_have_one() -> None:
    prediction = PredictionEvent(prediction_id="p-1", model="m", version="1", output=1.0)
    assert dict(encode(prediction, source="/t").headers)["ce_id"] == b"p-1"
    label = LabelEvent(prediction_id="p-1", model="m", label=1.0)
    other = LabelEvent(prediction_id="p-1", model="m", label=2.0)
    ids = {dict(encode(event, source="/t").headers)["ce_id"] for event in (label, other)}
    assert len(ids) == 2 and b"p-1" not in ids


def test_extensions_become_headers() -> None:
    event = LabelEvent(prediction_id="p-1", model="m", label=1.0)
    headers = dict(encode(event, source="/t", extensions={"causationid": "c"}).headers)
    assert headers["ce_causationid"] == b"c"


def test_what_a_publisher_sends_is_read_by_the_cloudevents_package() -> None:
    # Given a publisher with names that need care
    kept: list[KafkaMessage] = []

    class Keep:
        def record(self, topic: str, key: bytes, value: bytes, headers: Any) -> None:
            kept.append(KafkaMessage(headers=dict(headers), key=key, value=value))

    recorders.append(Keep())
    try:
        publisher = Publisher(model="bedrägeri", version="1", service="check out/ä")
        prediction_id = publisher.log(features={"a": 1}, output=0.5)
    finally:
        recorders.pop()
    # When the CloudEvents package reads it
    (message,) = kept
    read = from_binary(message, JSONFormat())
    # Then it is the event
    assert read.get_type() == "streamgauge.prediction.v1"
    assert read.get_subject() == "bedrägeri"
    assert read.get_id() == prediction_id
    assert read.get_source() == "/streamgauge/check%20out%2F%C3%A4"
    assert abs((read.get_time() - datetime.now(UTC)).total_seconds()) < 60
    assert read.get_data()["features"] == {"a": 1}


class TestDecode:
    def test_bare_json_takes_its_type_from_the_topic(
        self, load_example: Callable[[str, str], dict[str, Any]]
    ) -> None:
        for topic, event in (
            ("predictions", "prediction"),
            ("labels", "label"),
            ("feedback", "feedback"),
            ("alarms", "alarm"),
            ("models", "model"),
        ):
            value = json.dumps(load_example(event, "minimal")).encode()
            for headers in (None, [], [("trace", b"x"), ("content-type", b"application/json")]):
                assert type(decode(f"a.b.{topic}", headers, value)) is EVENTS[event]

    def test_the_header_wins_over_the_topic(self) -> None:
        event = TelemetryEvent(model="m", service="s", instance="i")
        encoded = encode(event, source="/t")
        assert decode("streamgauge.predictions", encoded.headers, encoded.value) == event

    def test_structured_mode_of_the_cloudevents_package(self) -> None:
        message = to_structured(
            CloudEvent(
                attributes={"type": "streamgauge.label.v1", "source": "/x"},
                data={"prediction_id": "p-1", "model": "m", "label": "true"},
            ),
            JSONFormat(),
        )
        expected = LabelEvent(prediction_id="p-1", model="m", label="true")
        assert decode("any", list(message.headers.items()), message.value) == expected

    @pytest.mark.parametrize(
        ("topic", "headers", "value", "told"),
        [
            ("streamgauge.labels", None, None, "no value"),
            ("streamgauge.labels", None, b"{", "JSON"),
            ("streamgauge.labels", None, b"\xff\xfe", "JSON"),
            ("streamgauge.labels", None, b"[]", "event"),
            ("streamgauge.labels", None, b"{}", "prediction_id: Field required"),
            ("streamgauge.snapshots", None, b"{}", "does not tell the type"),
            ("streamgauge.labels", [("ce_type", b"streamgauge.label.v2")], b"{}", "unknown"),
            ("streamgauge.labels", [("ce_type", b"label")], b"{}", "unknown"),
            ("streamgauge.labels", [("ce_type", b"\xff")], b"{}", "unknown"),
            ("t", [("content-type", b"application/cloudevents+json")], b"[]", "object"),
            ("t", [("content-type", b"application/cloudevents+json")], b"{", "not JSON"),
        ],
    )
    def test_what_is_no_event_says_why(
        self, topic: str, headers: Any, value: bytes | None, told: str
    ) -> None:
        with pytest.raises(DecodeError, match=told):
            decode(topic, headers, value)

    def test_an_error_never_shows_the_content(self) -> None:
        secret = "anna@example.org"
        value = json.dumps({"prediction_id": "p", "model": "m", "label": {"x": secret}}).encode()
        with pytest.raises(DecodeError) as raised:
            decode("streamgauge.labels", None, value)
        assert secret not in str(raised.value)
