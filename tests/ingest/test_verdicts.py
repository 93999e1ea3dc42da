"""The door and the monitor agree on every event, and a refusal says what would be right."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.batch.decode import decode
from streamgauge.ingest.checked import Checked, check
from streamgauge.ingest.modes import events_of
from streamgauge.ingest.posted import Incoming, Posted, Refusal
from streamgauge.processing import DeadLetter, LogRecord

NOW = 1_700_000_000.0
GOOD: dict[str, Any] = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}


def judged(payload: bytes, event: str = "prediction") -> Checked | Refusal:
    incoming = Incoming("application/json", {}, payload, event)
    (found,) = events_of(incoming, max_events=10)
    return check(found, prefix="a", now=NOW) if isinstance(found, Posted) else found


def monitors(payload: bytes) -> bool:
    """Whether the monitor takes it from Kafka."""
    return not isinstance(
        decode(LogRecord("a.predictions", 0, 0, NOW, None, (), payload)), DeadLetter
    )


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "text": b'"x"',
    "half": b'{"prediction_id": "p", "mod',
    "NaN": orjson.dumps(GOOD).replace(b"0.5", b"NaN"),
    "Infinity": orjson.dumps(GOOD).replace(b"0.5", b"-Infinity"),
    "beyond a double": orjson.dumps(GOOD).replace(b"0.5", b"1e999"),
    "beyond a double, unread": orjson.dumps(GOOD)[:-1] + b',"x":1e999}',
    "no UTF-8": orjson.dumps(GOOD | {"x": "?"}).replace(b"?", b"\xff"),
    "mark": b"\xef\xbb\xbf" + orjson.dumps(GOOD),
    "deep": orjson.dumps(GOOD)[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}",
    "nine deep": orjson.dumps(GOOD)[:-1] + b',"x":' + b"[" * 8 + b"]" * 8 + b"}",
    "eight deep": orjson.dumps(GOOD)[:-1] + b',"x":' + b"[" * 7 + b"]" * 7 + b"}",
    "two ids": b'{"prediction_id":1,"prediction_id":"p","model":"m","version":"1","output":1}',
    "two ids, the last wrong": b'{"prediction_id":"p","prediction_id":1,"model":"m","version":"1",'
    b'"output":1}',
    "large": orjson.dumps(GOOD | {"x": "y" * 300_000}),
    "many features": orjson.dumps(GOOD | {"features": {str(i): 1 for i in range(1001)}}),
    "future": orjson.dumps(GOOD | {"timestamp": NOW + 301}),
    "almost future": orjson.dumps(GOOD | {"timestamp": NOW + 299}),
    "milliseconds": orjson.dumps(GOOD | {"timestamp": NOW * 1000}),
    "trailing": orjson.dumps(GOOD) + b"x",
    "lone surrogate": orjson.dumps(GOOD | {"x": "?"}).replace(b"?", rb"\ud800"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_event_gets_the_monitors_verdict(case: str) -> None:
    payload = HOSTILE[case]
    taken = judged(payload)
    assert isinstance(taken, Checked) == monitors(payload)
    if isinstance(taken, Refusal):
        assert taken.detail


VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.lists(st.integers(0, 3), max_size=2)
    | st.dictionaries(st.sampled_from(["label", "score", "x"]), st.integers(0, 2), max_size=2)
)


@given(
    changes=st.dictionaries(
        st.sampled_from(
            ["prediction_id", "model", "output", "timestamp", "features", "status", "tags", "x"]
        ),
        VALUES,
        max_size=3,
    )
)
def test_any_event_gets_the_monitors_verdict(changes: dict[str, Any]) -> None:
    import json

    payload = json.dumps({**GOOD, **changes}).encode()
    assert isinstance(judged(payload), Checked) == monitors(payload)


@pytest.mark.parametrize(
    ("changes", "field", "expected", "meant", "told"),
    [
        ({"latency_ms": "4"}, "latency_ms", "float | null", "", "found str"),
        ({"status": "eror"}, "status", "one of ok, error, fallback", "error", "did you mean"),
        ({"status": 7}, "status", "str", "", "found int"),
        ({"features": {"a": {}}}, "features.a", None, "", "features.a: expected"),
        ({"timestamp": NOW * 1000}, "timestamp", "number or string", "", "milliseconds"),
        ({"timestamp": NOW + 999}, "timestamp", "number or string", "", "ahead of its record"),
    ],
)
def test_a_refusal_names_the_field(
    changes: dict[str, Any], field: str, expected: str | None, meant: str, told: str
) -> None:
    refused = judged(orjson.dumps(GOOD | changes))
    assert isinstance(refused, Refusal)
    assert refused.field == field
    assert expected is None or refused.expected == expected
    assert refused.did_you_mean == meant
    assert told in refused.detail


@pytest.mark.parametrize("slip", ["predictionId", "prediction-id", "predicton_id", "PREDICTION_ID"])
def test_a_missing_field_that_is_there_under_another_name(slip: str) -> None:
    event = {slip if name == "prediction_id" else name: value for name, value in GOOD.items()}
    refused = judged(orjson.dumps(event))
    assert isinstance(refused, Refusal)
    assert (refused.field, refused.expected) == ("prediction_id", "string")
    assert refused.did_you_mean == "prediction_id"
    assert repr(slip) in refused.detail


def test_a_type_that_is_nearly_right() -> None:
    for slip in ("streamgauge.predicton.v1", "streamgauge.Prediction.v1"):
        refused = check(Posted(3, slip, {}, b"{}"), prefix="a", now=NOW)
        assert isinstance(refused, Refusal)
        assert (refused.index, refused.field) == (3, "type")
        assert refused.did_you_mean == "streamgauge.prediction.v1"
    foreign = check(Posted(0, "Jane <jane@x.org>", {}, b"{}"), prefix="a", now=NOW)
    assert isinstance(foreign, Refusal)
    assert "jane" not in foreign.detail.lower()


def test_alarms_are_nobodys_to_post() -> None:
    refused = check(Posted(0, "streamgauge.alarm.v1", {}, b"{}"), prefix="a", now=NOW)
    assert isinstance(refused, Refusal)


def test_no_refusal_holds_the_events_content() -> None:
    secret = "anna@example.org"
    for changes in (
        {"status": secret},
        {"latency_ms": secret},
        {"timestamp": secret},
        {"features": {"mail": [secret]}},
        {"output": {"label": 5, "x": secret}},
    ):
        refused = judged(orjson.dumps(GOOD | changes))
        assert isinstance(refused, Refusal)
        assert secret not in repr(refused)
