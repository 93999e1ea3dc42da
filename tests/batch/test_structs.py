"""The structs give the verdicts and the values of the contract's models, on any bytes."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streamgauge.batch.decode import decode
from streamgauge.batch.limits import Refused, check_depth
from streamgauge.batch.structs import (
    Feedback,
    Label,
    Model,
    Prediction,
    PredictionBatch,
    Telemetry,
)
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge_client.events import EVENTS, Event

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "prediction": Prediction,
    "prediction_batch": PredictionBatch,
    "label": Label,
    "feedback": Feedback,
    "telemetry": Telemetry,
    "model": Model,
}
TOPICS = {
    "prediction": "a.predictions",
    "prediction_batch": "a.predictions",
    "label": "a.labels",
    "feedback": "a.feedback",
    "telemetry": "a.predictions",
    "model": "a.models",
}
#: Beyond each timestamp below, so that ``future`` (which the contract can't judge) stays away.
YEAR_3000 = 32_503_680_000.0

FULL: dict[str, dict[str, Any]] = {
    "prediction": {
        "prediction_id": "p", "model": "m", "version": "1", "output": 0.5, "timestamp": 1.7e9,
        "features": {"a": 1, "b": 1.5, "c": "x", "d": True, "e": None, "f": [1, 2.5]},
        "latency_ms": 3, "status": "ok", "segment": {"country": "de"}, "variant": "canary",
        "step": "rank", "parent_id": "q", "lineage": {"feed": "7"}, "tags": {"t": ""},
        "error_type": "", "entity_id": "e", "interaction_id": "i", "embedding": {"x": [0.5]},
        "tokens": {"input": 5}, "cost": -0.1,
    },
    "prediction_batch": {
        "prediction_id": ["p", "q"], "model": "m", "version": "1",
        "output": {"label": ["a", None], "score": [1, None], "scores": {"a": [1.0, None]}},
        "timestamp": [1.7e9, None], "latency_ms": [3, None], "status": ["ok", "error"],
        "features": {
            "a": [1, None], "b": [1.5, -0.0], "c": ["x", ""], "d": [True, 1], "f": [[1, 2.5], []],
        },
        "segment": {"country": ["de", None], "channel": "web"}, "variant": "shadow",
        "step": "rank", "parent_id": ["x", None], "lineage": {"feed": "7"}, "tags": {"t": ""},
        "entity_id": [None, "e"], "interaction_id": ["i", "j"],
    },
    "label": {
        "prediction_id": "p", "model": "m",
        "label": {"label": "good", "score": 1, "scores": {"good": 1}},
        "observed_at": "2023-11-14T22:13:20Z", "source": "human", "annotator": "ann",
        "revision": 2, "weight": 0, "confidence": 1, "scores": {"good": 1.0}, "horizon": "30d",
        "value": -5, "tags": {"t": "u"},
    },
    "feedback": {
        "model": "m", "kind": "custom:zoom", "prediction_id": "p", "interaction_id": "i",
        "timestamp": 1.7e9, "name": "n", "score": -1, "label": "l", "explanation": "e",
        "from_mode": "a", "to_mode": "b", "dwell_ms": 5, "edit_distance_ratio": 0.5,
        "user_hash": "h",
    },
    "telemetry": {
        "model": "m", "service": "s", "instance": "i", "version": "1", "timestamp": 1.7e9,
        "sequence": 0, "measurements": {"cpu_ratio": 0.5},
    },
    "model": {
        "model": "m", "version": "2", "action": "promoted", "timestamp": 1.7e9,
        "previous_version": "1", "feature_schema": {"a": "number"},
        "reference": {"uri": "s3://x", "n": 5}, "reset": ["detectors", "none"], "actor": "a",
        "reason": "r", "evidence": {"x": [1, {"y": None}]}, "data": {"positions": [[0, 5]]},
        "effective_at": "2023-11-14T22:13:20.5+01:00", "shadow": False,
    },
}  # fmt: skip

#: Values that people and broken programs put into fields.
ODD: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "zero": b"0",
    "minus one": b"-1",
    "float": b"1.5",
    "whole float": b"1.0",
    "minus zero": b"-0.0",
    "2**53": b"9007199254740992",
    "2**53 + 1": b"9007199254740993",
    "20 digits": b"9" * 20,
    "400 digits": b"9" * 400,
    "1e308": b"1e308",
    "1e999": b"1e999",
    "-1e999": b"-1e999",
    "1e-999": b"1e-999",
    "milliseconds": b"1700000000123",
    "NaN": b"NaN",
    "-Infinity": b"-Infinity",
    "empty string": b'""',
    "numeric string": b'"1.5"',
    "128 characters": b'"%s"' % ("é" * 128).encode(),
    "129 characters": b'"%s"' % ("é" * 129).encode(),
    "1,024 characters": b'"%s"' % ("\U0001f600" * 1024).encode(),
    "1,025 characters": b'"%s"' % (b"a" * 1025),
    "lone surrogate": b'"\\ud800"',
    "lone low surrogate": b'"\\udc00"',
    "surrogate pair": b'"\\ud83d\\ude00"',
    "escaped NUL": b'"\\u0000"',
    "raw control": b'"\x01"',
    "invalid UTF-8": b'"\xff"',
    "overlong UTF-8": b'"\xc0\x80"',
    "UTF-8 surrogate": b'"\xed\xa0\x80"',
    "ok": b'"ok"',
    "line break behind": b'"redo\\n"',
    "custom without name": b'"custom:"',
    "custom of 101": b'"custom:%s"' % (b"x" * 101),
    "custom with line break": b'"custom:a\\nb"',
    "naive time": b'"2023-11-14T22:13:20"',
    "date": b'"2023-11-14"',
    "time with offset": b'"2023-11-14T22:13:20.123456789-05:30"',
    "no such day": b'"2023-02-30T00:00:00Z"',
    "year zero": b'"0000-01-01T00:00:00Z"',
    "before 1970": b'"1969-12-31T23:59:59Z"',
    "leap second": b'"2016-12-31T23:59:60Z"',
    "Arabic digits": '"٢٠٢٣-11-14T22:13:20Z"'.encode(),
    "empty list": b"[]",
    "list of numbers": b"[1,2.5]",
    "list of strings": b'["1"]',
    "list with null": b"[1,null]",
    "list with true": b"[true]",
    "list with 1e999": b"[1e999]",
    "list of resets": b'["detectors"]',
    "4,096 numbers": b"[%s]" % b",".join([b"1"] * 4096),
    "4,097 numbers": b"[%s]" % b",".join([b"1"] * 4097),
    "empty object": b"{}",
    "object of number": b'{"a":1}',
    "object of string": b'{"a":"x"}',
    "object of null": b'{"a":null}',
    "object of 1e999": b'{"a":1e999}',
    "object of 400 digits": b'{"a":%s}' % (b"9" * 400),
    "object of vector": b'{"a":[1]}',
    "object of object": b'{"a":{"b":1}}',
    "scored label": b'{"label":"a","score":0.5,"scores":{"a":0.5},"more":[1]}',
    "scored twice, first wrong": b'{"label":1,"label":"a"}',
    "scored twice, last wrong": b'{"label":"a","label":1}',
    "scored empty label": b'{"label":""}',
    "scored number label": b'{"label":1}',
    "nameless entry": b'{"":1}',
    "long name": b'{"%s":1}' % (b"k" * 129),
    "100 entries": b"{%s}" % b",".join(b'"k%d":1' % i for i in range(100)),
    "101 entries": b"{%s}" % b",".join(b'"k%d":1' % i for i in range(101)),
    "1,000 entries": b"{%s}" % b",".join(b'"k%d":"x"' % i for i in range(1000)),
    "1,001 entries": b"{%s}" % b",".join(b'"k%d":"x"' % i for i in range(1001)),
    "1,500 duplicates": b"{%s}" % b",".join([b'"k":1'] * 1500),
    "duplicates, first wrong": b'{"a":{"x":{}},"a":1}',
    "duplicates, last wrong": b'{"a":1,"a":{"x":{}}}',
    "two numbers": b"[1,2]",
    "two strings": b'["a","b"]',
    "two nulls": b"[null,null]",
    "a string and a null": b'["ok",null]',
    "a negative in two": b"[1,-1]",
    "milliseconds in two": b"[1.7e9,1700000000123]",
    "before 1970 in two": b"[-1,1.7e9]",
    "a time and a date in two": b'["2023-11-14T22:13:20Z","2023-11-14"]',
    "a long one in two": b'["a","%s"]' % (b"a" * 1025),
    "an identifier too long in two": b'["a","%s"]' % (b"a" * 129),
    "columns": b'{"a":[1,2],"b":["x",null],"c":[[1],true]}',
    "columns of text": b'{"a":["x",null],"b":"x"}',
    "columns of odd length": b'{"a":[1,2],"b":[1]}',
    "columns of objects": b'{"a":[{},{}]}',
    "1,000 columns": b"{%s}" % b",".join(b'"k%d":[1,2]' % i for i in range(1000)),
    "1,001 columns": b"{%s}" % b",".join(b'"k%d":[1,2]' % i for i in range(1001)),
    "labels": b'{"label":["a",null]}',
    "labels of odd length": b'{"label":["a"]}',
    "scores of odd length": b'{"label":["a","b"],"scores":{"a":[1]}}',
    "scores of text": b'{"label":["a","b"],"score":["x","y"]}',
    "labels twice, first wrong": b'{"label":1,"label":["a","b"]}',
    "10,001 strings": b"[%s]" % b",".join([b'"i"'] * 10_001),
    "cut": b'{"a":',
    "leading zero": b"01",
    "bare word": b"yes",
}  # fmt: skip


def by_struct(kind: str, payload: bytes) -> Any:
    """The decoded event as plain objects, or None if it is refused."""
    record = LogRecord(
        TOPICS[kind], 0, 0, YEAR_3000, None,
        (("ce_type", f"streamgauge.{kind}.v1".encode()),), payload,
    )  # fmt: skip
    taken = decode(record)
    if isinstance(taken, DeadLetter):
        assert taken.reason in ("decode", "schema", "too_large")
        return None
    return msgspec.to_builtins(taken)


def by_model(kind: str, payload: bytes) -> Any:
    model: type[Event] = EVENTS[kind]
    try:
        check_depth(payload)
        return model.model_validate_json(payload).model_dump()
    except (ValidationError, Refused):
        return None


def with_field(kind: str, name: str, value: bytes) -> bytes:
    members = [
        b'"%s":%s' % (key.encode(), value if key == name else orjson.dumps(given))
        for key, given in FULL[kind].items()
    ]
    return b"{%s}" % b",".join(members)


FIELDS = [(kind, name) for kind, event in FULL.items() for name in event]


@pytest.mark.parametrize("kind", STRUCTS)
def test_struct_mirrors_the_model_field_by_field(kind: str) -> None:
    fields = EVENTS[kind].model_fields
    mirrored = {field.name: field.required for field in msgspec.structs.fields(STRUCTS[kind])}
    assert mirrored == {name: field.is_required() for name, field in fields.items()}
    assert set(FULL[kind]) == set(fields)


@pytest.mark.parametrize("kind", STRUCTS)
def test_full_event_is_taken_alike(kind: str) -> None:
    payload = orjson.dumps(FULL[kind])
    assert by_struct(kind, payload) == by_model(kind, payload) is not None


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[".".join(field) for field in FIELDS])
def test_odd_values_in_each_field(kind: str, name: str) -> None:
    for odd, value in ODD.items():
        payload = with_field(kind, name, value)
        assert by_struct(kind, payload) == by_model(kind, payload), odd


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[".".join(field) for field in FIELDS])
def test_each_field_missing(kind: str, name: str) -> None:
    payload = orjson.dumps({key: value for key, value in FULL[kind].items() if key != name})
    assert by_struct(kind, payload) == by_model(kind, payload)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[".".join(field) for field in FIELDS])
def test_duplicate_field_the_last_one_counts(kind: str, name: str) -> None:
    given = orjson.dumps(FULL[kind][name])
    for other in (b'{"a":{"x":{}}}', b"[[[]]]", given):
        for first, last in ((other, given), (given, other)):
            payload = with_field(kind, name, b'%s,"%s":%s' % (first, name.encode(), last))
            assert by_struct(kind, payload) == by_model(kind, payload)


def test_unknown_fields_are_ignored_unless_they_are_not_json() -> None:
    for odd, value in ODD.items():
        payload = b'%s,"x_new":%s}' % (orjson.dumps(FULL["prediction"])[:-1], value)
        taken = by_struct("prediction", payload)
        # NaN is not JSON. The model's parser lets it pass where nobody reads it; the decoder, like
        # every strict parser, does not.
        expected = None if odd in ("NaN", "-Infinity") else by_model("prediction", payload)
        assert taken == expected, odd


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
    | st.sampled_from(["ok", "human", "redo", "2024-01-01T00:00:00Z", "promoted", "custom:x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(max_size=3) | st.sampled_from(["label", "scores"]), inner, max_size=3
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_random_values_in_random_fields(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(STRUCTS)))
    names = data.draw(st.lists(st.sampled_from(sorted(FULL[kind])), min_size=1, max_size=3))
    event = FULL[kind] | {name: data.draw(JSON_VALUES) for name in names}
    payload = msgspec.json.encode(event)
    assert by_struct(kind, payload) == by_model(kind, payload)


def test_columns_of_one_batch_are_equally_long() -> None:
    # Given a batch of two rows, and each of its columns in turn with three
    full = FULL["prediction_batch"]
    places: list[tuple[str, ...]] = [
        (name,) for name, column in full.items() if isinstance(column, list)
    ]
    places += [("features", name) for name in full["features"]] + [("segment", "country")]
    places += [("output", "label"), ("output", "score"), ("output", "scores", "a")]
    for place in places:
        payload = orjson.loads(orjson.dumps(full))
        above = payload
        for name in place[:-1]:
            above = above[name]
        above[place[-1]] = [*above[place[-1]], above[place[-1]][0]]
        # Then both refuse it, and say which column, its length and the rows
        with pytest.raises(msgspec.ValidationError) as struct_told:
            msgspec.convert(payload, PredictionBatch)
        with pytest.raises(ValidationError) as model_told:
            EVENTS["prediction_batch"].model_validate_json(orjson.dumps(payload))
        if place != ("prediction_id",):
            told = f"{'.'.join(place)} has 3 rows, prediction_id has 2"
            assert told in str(struct_told.value) and told in str(model_told.value)


@pytest.mark.parametrize("kind", STRUCTS)
def test_damaged_bytes(kind: str) -> None:
    # Given an event with a few of its bytes changed, lost or put in
    rng = random.Random(11)
    whole = orjson.dumps(FULL[kind])
    pieces = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b"e", b".", b" ",
              b"\xff", b"\xc3", b"\\u", b"d8", b"null", b"\0", b"\n"]  # fmt: skip
    refused = 0
    for _ in range(2_000):
        payload = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(payload))
            payload[at : at + rng.randrange(3)] = rng.choice(pieces)
        # Then both refuse it, or both read the same from it
        taken = by_struct(kind, bytes(payload))
        assert taken == by_model(kind, bytes(payload)), bytes(payload)
        refused += taken is None
    # And the damage was neither always fatal nor never
    assert 0 < refused < 2_000
