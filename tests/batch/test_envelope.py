from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.batch.decode import decode
from streamgauge.batch.envelope import attribute, unwrap
from streamgauge.batch.limits import Refused
from streamgauge.batch.structs import Feedback, Label, Model, Prediction, Telemetry
from streamgauge.processing import DeadLetter, LogRecord

RecordMaker = Callable[..., LogRecord]

EVENTS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "prediction": (
        Prediction,
        {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5},
    ),
    "label": (Label, {"prediction_id": "p", "model": "m", "label": "good"}),
    "feedback": (Feedback, {"prediction_id": "p", "model": "m", "kind": "redo"}),
    "telemetry": (Telemetry, {"model": "m", "service": "s", "instance": "i"}),
    "model": (Model, {"model": "m", "version": "1", "action": "promoted"}),
}
HOMES = {
    "prediction": "predictions",
    "label": "labels",
    "feedback": "feedback",
    "telemetry": "predictions",
    "model": "models",
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("prefix", ["streamgauge", "tenant.eu.west"])
def test_binary_mode_takes_the_type_from_its_header(
    make_record: RecordMaker, event: str, prefix: str
) -> None:
    struct, content = EVENTS[event]
    record = make_record(
        content,
        topic=f"{prefix}.{HOMES[event]}",
        ce_specversion="1.0",
        ce_id="x",
        ce_type=f"streamgauge.{event}.v1",
        content_type="application/json; charset=utf-8",
    )
    assert type(decode(record)) is struct
    assert attribute(record, "ce_id") == b"x"
    assert attribute(record, "ce_time") is None


@pytest.mark.parametrize("event", ["prediction", "label", "feedback", "model"])
def test_bare_json_takes_the_type_from_the_topic(make_record: RecordMaker, event: str) -> None:
    struct, content = EVENTS[event]
    topic = f"streamgauge.{HOMES[event]}"
    assert type(decode(make_record(content, topic=topic))) is struct
    # And with headers that say nothing of an envelope
    assert type(decode(make_record(content, topic=topic, traceparent="00-1-1-00"))) is struct


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("topic", sorted(set(HOMES.values())))
def test_an_event_lives_on_its_own_topic_only(
    make_record: RecordMaker, event: str, topic: str
) -> None:
    struct, content = EVENTS[event]
    record = make_record(content, topic=f"a.{topic}", ce_type=f"streamgauge.{event}.v1")
    taken = decode(record)
    if HOMES[event] == topic:
        assert type(taken) is struct
    else:
        assert isinstance(taken, DeadLetter)
        assert taken.reason == "schema"
        assert f"streamgauge.{event}.v1 does not belong on {topic}; expected" in taken.error


@pytest.mark.parametrize(
    "ce_type",
    ["streamgauge.prediction.v2", "streamgauge.predictionbatch.v1", "com.example.order", "", "v1"],
)
def test_unknown_type_or_version_names_the_known_ones(
    make_record: RecordMaker, ce_type: str
) -> None:
    taken = decode(make_record(EVENTS["prediction"][1], ce_type=ce_type))
    assert isinstance(taken, DeadLetter)
    assert taken.reason == "schema"
    assert "streamgauge.prediction.v1" in taken.error
    assert "streamgauge.label.v1" in taken.error
    assert ce_type in taken.error


def test_a_type_that_may_be_somebodys_data_is_not_repeated(make_record: RecordMaker) -> None:
    taken = decode(make_record(b"{}", ce_type="Jane Doe <jane@example.org>"))
    assert isinstance(taken, DeadLetter)
    assert "jane" not in taken.error.lower()
    assert "found a type of another form" in taken.error


@pytest.mark.parametrize("topic", ["streamgauge.alarms", "orders", "", "streamgauge.predictions."])
def test_unknown_topic_is_refused(make_record: RecordMaker, topic: str) -> None:
    taken = decode(make_record(EVENTS["prediction"][1], topic=topic))
    assert isinstance(taken, DeadLetter)
    assert (taken.reason, "known topics: feedback, labels" in taken.error) == ("schema", True)


def test_envelope_without_type_is_no_bare_json(make_record: RecordMaker) -> None:
    taken = decode(make_record(EVENTS["prediction"][1], ce_id="x"))
    assert isinstance(taken, DeadLetter)
    assert (taken.reason, taken.error[:16]) == ("schema", "ce_type: missing")


def test_schema_registry_framing_is_stripped(
    make_record: RecordMaker, prediction: dict[str, Any]
) -> None:
    framed = make_record(prediction)
    framed = framed._replace(value=b"\0\0\0\0\x2a" + (framed.value or b""))
    assert decode(framed) == decode(make_record(prediction))


@pytest.mark.parametrize("value", [b"\0", b"\0\0\0\0\1", b"\0\0\0\0\1\x02Avro", b"\0" * 1000])
def test_framing_of_another_format_says_so(make_record: RecordMaker, value: bytes) -> None:
    taken = decode(make_record(value))
    assert isinstance(taken, DeadLetter)
    assert taken.reason == "decode"
    assert "use the JSON Schema serializer" in taken.error


def test_tombstone(make_record: RecordMaker) -> None:
    with pytest.raises(Refused, match="^null value") as refusal:
        unwrap(make_record(None))
    assert refusal.value.reason == "decode"
