"""Structured mode: the same events and the same refusals as in binary mode, by the oracle."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.batch.decode import decode, decode_records
from streamgauge.batch.delivery import delivery
from streamgauge.batch.envelope import HOMES, attribute, attributes, unwrap
from streamgauge.batch.limits import MAX_EVENT_BYTES
from streamgauge.processing import DeadLetter, LogRecord

RecordMaker = Callable[..., LogRecord]
NOW = 1_700_000_000.0
STRUCTURED = "application/cloudevents+json"
EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "schemas" / "examples").glob("*/1/*.json")
    if path.parts[-3] in HOMES
)


def of_message(message: KafkaMessage, topic: str) -> LogRecord:
    headers = tuple((name, bytes(value)) for name, value in message.headers.items())
    # Far ahead of the examples' event times, so that none of them lies in the future.
    return LogRecord(topic, 0, 0, 4e9, None, headers, message.value)


def envelope(data: object = None, **attributes: object) -> dict[str, Any]:
    whole = {"specversion": "1.0", "id": "i", "source": "/s", "type": "streamgauge.prediction.v1"}
    return {**whole, "data": data, **attributes}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_example_is_read_alike_in_both_modes_of_the_cloudevents_package(path: Path) -> None:
    # Given an event that the package writes in both modes
    name = path.parts[-3]
    event = CloudEvent(
        attributes={
            "id": "e-1",
            "type": f"streamgauge.{name}.v1",
            "source": "/tests",
            "time": datetime(2026, 11, 21, 8, 30, 15, 250000, UTC),
            "subject": "bedrägeri",
            "datacontenttype": "application/json",
            "sequence": "0123456789abcdef-7",
            "sampledrate": "10",
        },
        data=json.loads(path.read_bytes()),
    )
    topic = f"streamgauge.{HOMES[name]}"
    binary = of_message(to_binary(event, JSONFormat()), topic)
    structured = of_message(to_structured(event, JSONFormat()), topic)
    assert not any(key.startswith("ce_") for key, _ in structured.headers)
    # When both are decoded, Then they are the same event
    taken = decode(structured)
    assert not isinstance(taken, DeadLetter), taken
    assert taken == decode(binary)
    assert unwrap(structured)[0] == unwrap(binary)[0] == name
    # And the envelope says the same, but for a time's spelling
    said = {k: v for k, v in attributes(structured) if k.startswith("ce_")}
    assert said | {"ce_time": b""} == {
        k: v for k, v in attributes(binary) if k.startswith("ce_")
    } | {"ce_time": b"", "ce_datacontenttype": b"application/json"}
    assert attribute(structured, "ce_sequence") == b"0123456789abcdef-7"
    assert delivery(structured) == delivery(binary) == (b"0123456789abcdef-7", 10)


def test_an_envelopes_time_is_the_events_where_it_has_none(make_record: RecordMaker) -> None:
    data = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}
    moment = datetime.fromtimestamp(NOW - 5, UTC).isoformat()
    record = make_record(envelope(data, time=moment), content_type=STRUCTURED)
    assert decode_records([record]).timestamps.tolist() == [NOW - 5]
    late = make_record(envelope(data, time="yesterday"), content_type=STRUCTURED)
    taken = decode(late)
    assert isinstance(taken, DeadLetter)
    assert taken.error.startswith("ce_time: is no time")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "Application/CloudEvents+JSON; charset=UTF-8",
        "application/cloudevents",
    ],
)
def test_the_content_type_decides(
    make_record: RecordMaker, prediction: dict[str, Any], content_type: str
) -> None:
    record = make_record(envelope(prediction), content_type=content_type)
    assert decode(record) == decode(make_record(prediction))
    # Also where a producer set the headers of binary mode beside it
    both = make_record(
        envelope(prediction), content_type=content_type, ce_type="x", ce_time="x", trace="t"
    )
    assert decode(both) == decode(record)
    assert attribute(both, "ce_time") is None
    assert attribute(both, "trace") == b"t"


def test_data_in_base64(make_record: RecordMaker, prediction: dict[str, Any]) -> None:
    whole = envelope(data_base64=base64.b64encode(orjson.dumps(prediction)).decode())
    del whole["data"]
    record = make_record(whole, content_type=STRUCTURED)
    assert decode(record) == decode(make_record(prediction))


def test_an_attribute_of_any_json_type(make_record: RecordMaker) -> None:
    record = make_record(
        envelope({}, sampledrate=10, flag=True, none=None, name='"å"', nested=[1]),
        content_type=STRUCTURED,
    )
    read = dict(attributes(record))
    assert read["ce_sampledrate"] == b"10"
    assert read["ce_flag"] == b"true"
    assert read["ce_name"].decode() == '"å"'
    assert "ce_none" not in read and "ce_data" not in read


def test_schema_registry_framing_is_stripped(
    make_record: RecordMaker, prediction: dict[str, Any]
) -> None:
    plain = make_record(envelope(prediction, sequence="s-1"), content_type=STRUCTURED)
    framed = plain._replace(value=b"\0\0\0\0\x2a" + (plain.value or b""))
    assert decode(framed) == decode(plain)
    assert attribute(framed, "ce_sequence") == b"s-1"


GOOD = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}
REFUSALS: dict[str, tuple[bytes | dict[str, Any], str, str]] = {
    "no type": ({"data": GOOD}, "schema", "type: missing"),
    "type of a number": (envelope(GOOD, type=1), "schema", "type: expected text"),
    "unknown type": (envelope(GOOD, type="order"), "schema", "type: found order, expected "),
    "another topic's": (
        envelope(GOOD, type="streamgauge.label.v1"),
        "schema",
        "type: streamgauge.label.v1 does not belong on predictions",
    ),
    "somebody's data": (envelope(GOOD, type="Jane <j@x.org>"), "schema", "a type of another form"),
    "no data": ({"type": "streamgauge.prediction.v1"}, "schema", "data: missing"),
    "null": (envelope(None), "schema", "expected object, found null"),
    "text": (envelope("{}"), "schema", "expected object, found str"),
    "both": (envelope(GOOD, data_base64="e30="), "schema", "data_base64: stands beside data"),
    "no base64": (
        {"type": "streamgauge.prediction.v1", "data_base64": "é"},
        "decode",
        "data_base64: expected text in base64",
    ),
    "a missing field": (envelope({"model": "m"}), "schema", "prediction_id: missing"),
    "a list": (b"[]", "schema", "an envelope of CloudEvents is a JSON object"),
    "half": (b'{"type": "streamgauge.predi', "decode", "not JSON"),
    "nothing": (b"", "decode", "empty value"),
    "NaN": (
        orjson.dumps(envelope(GOOD)).replace(b"0.5", b"NaN"),
        "decode",
        "not JSON",
    ),
    "no UTF-8": (
        orjson.dumps(envelope(GOOD | {"x": "?"})).replace(b"?", b"\xff"),
        "decode",
        "not UTF-8 (byte ",
    ),
    "no UTF-8 in an attribute": (
        orjson.dumps(envelope(GOOD, subject="?")).replace(b"?", b"\xff"),
        "decode",
        "not UTF-8 (byte ",
    ),
    "a broken escape in an attribute": (
        orjson.dumps(envelope(GOOD, subject="?")).replace(b"?", rb"\ud800"),
        "decode",
        "not JSON",
    ),
    "deep": (
        b'{"type":"streamgauge.prediction.v1","data":' + b"[" * 100_000,
        "too_large",
        "nested 100,000 deep, at most 8",
    ),
    "deep attribute": (
        b'{"type":"streamgauge.prediction.v1","x":' + b"[" * 900 + b"]" * 900 + b',"data":{}}',
        "too_large",
        "nested 900 deep",
    ),
    "large": (envelope(GOOD | {"x": "y" * MAX_EVENT_BYTES}), "too_large", "bytes, at most"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_says_why(make_record: RecordMaker, case: str) -> None:
    value, reason, told = REFUSALS[case]
    taken = decode(make_record(value, content_type=STRUCTURED))
    assert isinstance(taken, DeadLetter)
    assert taken.reason == reason, taken.error
    assert told in taken.error


def test_an_event_may_be_as_deep_as_in_binary_mode(make_record: RecordMaker) -> None:
    event = {"model": "m", "version": "1", "action": "promoted"}
    for levels, fits in ((7, True), (8, False)):
        inner: Any = 1
        for _ in range(levels - 1):
            inner = [inner]
        whole = envelope(event | {"evidence": {"x": inner}}, type="streamgauge.model.v1")
        records = [
            make_record(whole, topic="a.models", content_type=STRUCTURED),
            make_record(whole["data"], topic="a.models"),
        ]
        verdicts = [not isinstance(decode(record), DeadLetter) for record in records]
        assert verdicts == [fits, fits]


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/cloudevents-batch+json", "a record of Kafka carries one event"),
        ("Application/CloudEvents-Batch+json; charset=utf-8", "/v1/events"),
        ("application/cloudevents+avro", "JSON alone is read"),
        ("application/cloudevents+protobuf", "send application/cloudevents+json"),
    ],
)
def test_what_kafka_does_not_carry_is_told(
    make_record: RecordMaker, content_type: str, told: str
) -> None:
    record = make_record(b"[]", content_type=content_type)
    taken = decode(record)
    assert isinstance(taken, DeadLetter)
    assert taken.reason == "schema"
    assert taken.error.startswith("content-type: ")
    assert told in taken.error
    assert attribute(record, "content-type") == content_type.encode()


def test_an_envelope_without_its_header_is_recognised(make_record: RecordMaker) -> None:
    taken = decode(make_record(envelope(GOOD)))
    assert isinstance(taken, DeadLetter)
    assert taken.error.startswith("prediction_id: missing; it looks like an envelope")
    assert STRUCTURED in taken.error


@given(
    data=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "data", "data_base64", "time", "id"]), inner, max_size=5
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_raise(data: bytes) -> None:
    headers = (("content-type", STRUCTURED.encode()),)
    record = LogRecord("a.predictions", 0, 0, NOW, None, headers, data)
    taken = decode(record)
    assert not isinstance(taken, DeadLetter) or "could not be read" not in taken.error
    assert attributes(record)


@given(st.text(max_size=8))
def test_any_text_of_an_attribute_is_told_as_it_was(text: str) -> None:
    try:
        value = msgspec.json.encode({"type": "t", "subject": text, "data": {}})
    except UnicodeEncodeError:
        return
    headers = (("content-type", STRUCTURED.encode()),)
    record = LogRecord("a.predictions", 0, 0, NOW, None, headers, value)
    assert attribute(record, "ce_subject") == text.encode()
