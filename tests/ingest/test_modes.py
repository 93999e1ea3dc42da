"""Every form in which an event may be posted leads to the same record, by the oracle."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.bindings.kafka import to_binary as to_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from streamgauge.batch.envelope import HOMES
from streamgauge.ingest.checked import Checked, check
from streamgauge.ingest.modes import events_of
from streamgauge.ingest.obvious import obvious_event
from streamgauge.ingest.posted import Incoming, Posted, Refusal, Unreadable

LATE = 4e9
EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "schemas" / "examples").glob("*/1/*.json")
    if path.parts[-3] in HOMES
)
GOOD: dict[str, Any] = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}


def incoming(
    body: object, content_type: str = "application/json", event: str | None = None, **headers: str
) -> Incoming:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Incoming(content_type, named, data, event)


def read(request: Incoming) -> list[Posted | Refusal]:
    return events_of(request, max_events=50)


def one(request: Incoming) -> Posted:
    (found,) = read(request)
    assert isinstance(found, Posted), found
    return found


def record(posted: Posted) -> Checked:
    checked = check(posted, prefix="streamgauge", now=LATE)
    assert isinstance(checked, Checked), checked
    return checked


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_example_in_every_mode_of_the_cloudevents_package(path: Path) -> None:
    # Given an event that the package writes for HTTP, in both modes and in a batch
    name = path.parts[-3]
    document = json.loads(path.read_bytes())
    event = CloudEvent(
        attributes={
            "id": "å/%/e-1",
            "type": f"streamgauge.{name}.v1",
            "source": "/tests",
            "subject": document["model"],
            "datacontenttype": "application/json",
            "sequence": "0123456789abcdef-7",
            "sampledrate": "10",
        },
        data=document,
    )
    binary, structured = to_binary(event, JSONFormat()), to_structured(event, JSONFormat())
    headers = {header.lower(): value for header, value in binary.headers.items()}
    forms = [
        Incoming(headers["content-type"], headers, bytes(binary.body)),
        Incoming(structured.headers["content-type"], {}, bytes(structured.body)),
        incoming(b"[" + structured.body + b"]", "application/cloudevents-batch+json"),
        incoming(bytes(structured.body) + b"\n", "application/x-ndjson"),
    ]
    # When they are posted
    records = [record(one(form)) for form in forms]
    # Then each becomes the record that the package would write for Kafka
    theirs = to_kafka(event, JSONFormat())
    times = {"ce_time"}
    for made in records:
        ours = dict(made.headers)
        assert {k: v for k, v in ours.items() if k not in times} == {
            k: v for k, v in theirs.headers.items() if k not in times
        }
        assert len(made.headers) == len(ours)
        assert made.headers[-1] == ("content-type", b"application/json")
        assert json.loads(made.value) == document
        assert made.topic == f"streamgauge.{HOMES[name]}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_example_is_obvious_as_bare_json(path: Path) -> None:
    name = path.parts[-3]
    document = json.loads(path.read_bytes())
    assert obvious_event({k: orjson.dumps(v) for k, v in document.items()}) == name
    bare, told = one(incoming(document)), one(incoming(document, event=name))
    assert bare == told
    assert record(bare).kind == name
    # And by the full name of its type
    assert one(incoming(document, event=f"streamgauge.{name}.v1")) == bare


def test_a_bare_prediction_gets_an_envelope() -> None:
    made = dict(record(one(incoming(GOOD))).headers)
    assert made["ce_id"] == b"p"
    assert made["ce_source"] == b"/streamgauge/ingest"
    assert made["ce_subject"] == b"m"
    label = {"prediction_id": "p", "model": "m", "label": 1}
    first, second = (dict(record(one(incoming(label))).headers)["ce_id"] for _ in range(2))
    assert first == second != b"p"


def test_arrays_and_lines_keep_their_places() -> None:
    documents = [GOOD, {"what": 1}, 7, {"prediction_id": "p", "model": "m", "label": 1}]
    lines = b"\n".join(orjson.dumps(each) for each in documents)
    for request in (
        incoming(documents),
        incoming(b"\n\n" + lines + b"\r\n\n", "application/x-ndjson; charset=utf-8"),
        incoming(lines, "application/jsonl"),
    ):
        found = read(request)
        assert [each.index for each in found] == [0, 1, 2, 3]
        kinds = ["Posted", "Refusal", "Refusal", "Posted"]
        assert [type(each).__name__ for each in found] == kinds


def test_a_line_may_be_half_written() -> None:
    found = read(incoming(orjson.dumps(GOOD) + b'\n{"predic', "application/x-ndjson"))
    assert isinstance(found[0], Posted)
    assert isinstance(found[1], Refusal)
    assert (found[1].reason, found[1].index) == ("decode", 1)


def test_what_nothing_tells_is_asked_for() -> None:
    (found,) = read(incoming({"model": "m"}))
    assert isinstance(found, Refusal)
    assert found.reason == "schema"
    assert "?type=prediction" in found.detail
    # And a wrong answer is corrected
    with pytest.raises(Unreadable, match="did you mean 'prediction'"):
        read(incoming(GOOD, event="predicton"))
    with pytest.raises(Unreadable, match="no such event"):
        read(incoming(GOOD, event="alarm"))


@pytest.mark.parametrize(
    ("request_", "reason", "told"),
    [
        (incoming(GOOD, ""), "media_type", "there is no content type"),
        (incoming(GOOD, "text/plain"), "media_type", "application/json"),
        (incoming(GOOD, "application/x-www-form-urlencoded"), "media_type", "is not read"),
        (incoming(GOOD, "multipart/form-data; boundary=x"), "media_type", "is not read"),
        (incoming(b"", "application/cloudevents+avro"), "media_type", "JSON alone"),
        (incoming(b"{}", "application/cloudevents-batch+json"), "schema", "a JSON array"),
        (incoming(b"[", "application/cloudevents-batch+json"), "decode", "not JSON"),
        (incoming(b"[]"), "schema", "no events"),
        (incoming(b"\n \n", "application/x-ndjson"), "schema", "no events"),
        (incoming([GOOD] * 51), "too_large", "at most 50"),
        (
            incoming(orjson.dumps(GOOD) + b"\n" + b"7\n" * 50, "application/jsonl"),
            "too_large",
            "51",
        ),
        (incoming(b"[" * 1_000_000), "too_large", "nested 1,000,000 deep"),
        (incoming(b'{"a":' * 100_000, "application/x-ndjson"), "too_large", "deep"),
    ],
)
def test_a_body_without_events_says_what_to_send(
    request_: Incoming, reason: str, told: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        read(request_)
    assert refused.value.reason == reason
    assert told in refused.value.detail


@pytest.mark.parametrize(
    "request_",
    [
        incoming(b"[" + b"1," * 2_000_000 + b"1]"),
        incoming(b"[" + b"1," * 2_000_000 + b"1]", "application/cloudevents-batch+json"),
        incoming(b"[" + b"{}," * 1_300_000 + b"1]"),
        incoming(b"1\n" * 2_000_000, "application/x-ndjson"),
        incoming(b"\n" * 4_000_000, "application/x-ndjson"),
        incoming(b"{" + b",".join(b'"%d":1' % n for n in range(400_000)) + b"}"),
        incoming(
            b"{" + b",".join(b'"%d":1' % n for n in range(400_000)) + b"}",
            "application/cloudevents+json",
        ),
    ],
    ids=["numbers", "batch", "objects", "lines", "no lines", "names", "attributes"],
)
def test_four_million_bytes_stay_a_few_times_as_many(request_: Incoming) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(Unreadable):
            (refused,) = events_of(request_, max_events=10_000)
            assert isinstance(refused, Refusal)
            assert refused.reason == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_binary_mode_needs_a_type() -> None:
    (found,) = read(incoming(GOOD, ce_id="1"))
    assert isinstance(found, Refusal)
    assert found.field == "ce-type"


def test_attributes_are_bounded_and_callers_secrets_are_not_kept() -> None:
    many = {f"ce_x{number}": "1" for number in range(41)}
    for headers in (many, {"ce_x": "y" * 1025}):
        (found,) = read(incoming(GOOD, ce_type="streamgauge.prediction.v1", **headers))
        assert isinstance(found, Refusal)
        assert found.reason == "too_large"
    # Not even where they would be too long
    kept = one(
        incoming(GOOD, ce_type="t", ce_metadata="Authorization" * 200, ce_annotations="x", ce_y="1")
    )
    assert kept.attributes == {"ce_y": b"1"}
    # And what can be no attribute is none
    odd = one(incoming(GOOD, **{"ce_type": "t", "ce_a_b": "1", "ce_": "2"}))
    assert odd.attributes == {}


def test_a_subject_of_somebody_elses_choice_is_replaced_by_the_model() -> None:
    made = record(
        one(incoming(GOOD, ce_type="streamgauge.prediction.v1", ce_subject="x", ce_id="i"))
    )
    subjects = [value for name, value in made.headers if name == "ce_subject"]
    assert subjects == [b"m"]
