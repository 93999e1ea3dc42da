from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streamgauge.batch.decode as decode_module
from streamgauge.batch.columns import group_by_model
from streamgauge.batch.decode import decode, decode_records
from streamgauge.batch.decoded import Decoded
from streamgauge.batch.structs import Label, Prediction
from streamgauge.processing import DeadLetter, LogRecord

NOW = 1_700_000_000.0
RecordMaker = Callable[..., LogRecord]
#: Stands in each hostile event; no dead letter's text may hold it.
CANARY = "jane.doe@example.org"


def raw(**fields: bytes) -> bytes:
    """A valid prediction with some fields replaced or added, as bytes."""
    event = {
        "prediction_id": b'"%s"' % CANARY.encode(),
        "model": b'"m"',
        "version": b'"1"',
        "output": b"0.5",
        "tags": b'{"user":"%s"}' % CANARY.encode(),
    } | fields
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), v) for name, v in event.items())


def features(n: int) -> bytes:
    return b"{%s}" % b",".join(b'"f%d":%d' % (i, i) for i in range(n))


HOSTILE: dict[str, tuple[bytes | None, str, str]] = {
    "null value": (None, "decode", "null value; "),
    "empty": (b"", "decode", "empty value; "),
    "blank": (b" \n ", "decode", "empty value; "),
    "invalid UTF-8": (raw(output=b'"\xff"'), "decode", "not UTF-8 (byte "),
    "invalid UTF-8 where nobody reads": (raw(x=b'"\xff"'), "decode", "not UTF-8 (byte "),
    "UTF-16": ("{}".encode("utf-16"), "decode", "not UTF-8 (byte 0)"),
    "byte order mark": (b"\xef\xbb\xbf" + raw(), "decode", "begins with a byte order mark"),
    "cut": (raw()[:-1], "decode", "not JSON: Input data was truncated"),
    "two events": (raw() + raw(), "decode", "not JSON: trailing characters (byte "),
    "no JSON at all": (CANARY.encode(), "decode", "not JSON: invalid character (byte 0)"),
    "single quotes": (b"{'model':'%s'}" % CANARY.encode(), "decode", "not JSON: object keys"),
    "lone surrogate": (raw(output=b'"\\ud800"'), "decode", "not JSON: "),
    "NaN": (raw(output=b"NaN"), "decode", "not JSON: NaN or an infinity (byte "),
    "-Infinity": (raw(output=b"-Infinity"), "decode", "not JSON: NaN or an infinity"),
    "2 MiB": (raw(output=b'"%s"' % (b"x" * 2**21)), "too_large", "the event has 2,097,"),
    "depth 9": (raw(x=b"[" * 8 + b"]" * 8), "too_large", "the event is nested 9 deep"),
    "depth 10,000": (b"[" * 10_000, "too_large", "the event is nested 10,000 deep"),
    "depth 100,000": (raw(x=b'{"a":' * 10**5), "too_large", "the event has "),
    "a list": (b"[1,2]", "schema", "expected object, found array"),
    "a string": (b'"%s"' % CANARY.encode(), "schema", "expected object, found str"),
    "null": (b"null", "schema", "expected object, found null"),
    "no field": (b"{}", "schema", "prediction_id: missing"),
    "id as number": (raw(prediction_id=b"17"), "schema", "prediction_id: expected str, found int"),
    "empty id": (raw(prediction_id=b'""'), "schema", "prediction_id: expected str of length >= 1"),
    "1e999": (raw(output=b"1e999"), "schema", "output: a number beyond what a double can hold"),
    "400 digits": (raw(latency_ms=b"9" * 400), "schema", "latency_ms: a number beyond"),
    "negative latency": (raw(latency_ms=b"-1"), "schema", "latency_ms: expected float >= 0"),
    "1,001 features": (
        raw(features=features(1001)), "schema", "features: expected object of length <= 1000"),
    "1,025 characters": (
        raw(output=b'"%s"' % (b"x" * 1025)), "schema", "output: expected str of length <= 1024"),
    "nested feature": (
        raw(features=b'{"ok":1,"home":{"street":"%s"}}' % CANARY.encode()),
        "schema", "features.home: expected bool | float | str | array | null, found object"),
    "vector of strings": (
        raw(features=b'{"ok":1,"mail":["%s"]}' % CANARY.encode()),
        "schema", "features.mail[0]: expected float, found str"),
    "feature without name": (
        raw(features=b'{"":1}'), "schema", "a name in features: expected str of length >= 1"),
    "score of a class": (
        raw(output=b'{"label":"a","scores":{"b":1,"a":"%s"}}' % CANARY.encode()),
        "schema", "output.scores.a: expected float, found str"),
    "output without label": (raw(output=b'{"score":1}'), "schema", "output.label: missing"),
    "unknown status": (
        raw(status=b'"%s"' % CANARY.encode()),
        "schema", "status: expected one of ok, error, fallback"),
    "milliseconds": (
        raw(timestamp=b"1700000000000"),
        "schema", "timestamp: 1.7e+12 looks like milliseconds; give seconds"),
    "negative time": (raw(timestamp=b"-1"), "schema", "timestamp: lies before 1970"),
    "naive time": (
        raw(timestamp=b'"2023-11-14T22:13:20"'),
        "schema", "timestamp: has no offset from UTC"),
    "no time": (raw(timestamp=b'"%s"' % CANARY.encode()), "schema", "timestamp: is no time"),
    "time of day 25": (
        raw(timestamp=b'"2023-11-14T25:13:20Z"'), "schema", "timestamp: names a day or a time"),
    "time as list": (raw(timestamp=b"[1]"), "schema", "timestamp: expected float | str | null"),
    "year 2100": (raw(timestamp=b"4102444800"), "future", "timestamp: lies 2,402,444,800 s ahead"),
    "year 2100 as text": (
        raw(timestamp=b'"2100-01-01T00:00:00Z"'), "future", "timestamp: lies 2,402,444,800 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_record_is_a_dead_letter_that_explains(make_record: RecordMaker, name: str) -> None:
    value, reason, error = HOSTILE[name]
    record = make_record(value)
    taken = decode(record)
    assert isinstance(taken, DeadLetter)
    assert taken.record is record
    assert taken.reason == reason
    assert taken.error.startswith(error)
    # Nothing of the payload but names of fields
    assert CANARY not in taken.error


def test_the_good_events_around_hostile_ones_are_taken(make_record: RecordMaker) -> None:
    # Given a good event before and after each hostile one
    records = [make_record(raw(), offset=0)]
    for value, _, _ in HOSTILE.values():
        records += [make_record(value, offset=len(records))]
        records += [make_record(raw(), offset=len(records))]
    # When the chunk is decoded
    decoded = decode_records(records)
    # Then all good ones are there, and all others are dead letters, both in log order
    assert decoded.offsets.tolist() == list(range(0, len(records), 2))
    assert [row for row, _ in decoded.dead] == list(range(1, len(records), 2))
    assert [letter.reason for _, letter in decoded.dead] == [r for _, r, _ in HOSTILE.values()]


def test_text_of_a_dead_letter_is_bounded_and_printable(make_record: RecordMaker) -> None:
    name = "\n\u202e" + "k" * 126
    taken = decode(make_record(raw(features=orjson.dumps({name: {"a": 1}}))))
    assert isinstance(taken, DeadLetter)
    assert taken.error.startswith("features.??kkk")
    assert taken.error.isprintable()
    assert len(taken.error.encode()) <= 1024


@pytest.mark.parametrize("n", [1, 2, 3, 999, 1000])
def test_the_wrong_feature_is_found_among_many(make_record: RecordMaker, n: int) -> None:
    for wrong in {0, n // 2, n - 1}:
        given: dict[str, Any] = {f"f{i}": float(i) for i in range(n)}
        given[f"f{wrong}"] = {}
        taken = decode(make_record(raw(features=orjson.dumps(given))))
        assert isinstance(taken, DeadLetter)
        assert taken.error.startswith(f"features.f{wrong}: expected")


@settings(max_examples=500, deadline=None)
@given(value=st.binary(max_size=64), topic=st.sampled_from(["predictions", "labels", "x"]))
def test_no_bytes_raise(value: bytes, topic: str) -> None:
    taken = decode(LogRecord(topic, 0, 0, NOW, None, (("ce_type", value),), value))
    assert isinstance(taken, DeadLetter)


def test_what_nobody_foresaw_costs_one_record(
    make_record: RecordMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a decoder that runs out of memory at one of three records
    poisoned = raw(output=b'"poison"')

    def parse(payload: bytes) -> Any:
        if payload == poisoned:
            raise MemoryError
        return original(payload)

    original = decode_module._DECODERS["prediction"]
    monkeypatch.setitem(decode_module._DECODERS, "prediction", parse)
    # Then the other two are taken
    decoded = decode_records([make_record(raw()), make_record(poisoned), make_record(raw())])
    assert decoded.rows.tolist() == [0, 2]
    assert decoded.dead[0][1].error == "could not be read: MemoryError"


class TestEventTime:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (b"1699999999", NOW - 1),
            (b"1699999999.25", NOW - 0.75),
            (b"0", 0.0),
            (b"1700000300", NOW + 300),
            (b'"2023-11-14T22:13:20Z"', NOW),
            (b'"2023-11-14t22:13:20z"', NOW),
            (b'"2023-11-14 23:13:20+01:00"', NOW),
            (b'"2023-11-14T16:43:20.5-05:30"', NOW + 0.5),
            (b'"2023-11-14T22:13:20.123456789Z"', NOW + 0.123456),
        ],
    )
    def test_of_the_event(self, make_record: RecordMaker, given: bytes, expected: float) -> None:
        decoded = decode_records([make_record(raw(timestamp=given))])
        assert decoded.dead == []
        assert decoded.timestamps.tolist() == [expected]
        assert decoded.record_timestamps.tolist() == [NOW]

    def test_else_of_the_envelope_else_of_the_record(self, make_record: RecordMaker) -> None:
        binary = {"ce_type": "streamgauge.prediction.v1", "ce_time": "2023-11-14T22:13:10Z"}
        decoded = decode_records(
            [
                make_record(raw(timestamp=b"1699999995"), **binary),
                make_record(raw(timestamp=b"null"), **binary),
                make_record(raw()),
            ]
        )
        assert decoded.timestamps.tolist() == [NOW - 5, NOW - 10, NOW]

    @pytest.mark.parametrize(
        ("time", "reason"),
        [
            ("2023-11-14T22:13:20", "schema"),
            ("yesterday", "schema"),
            ("é", "schema"),
            ("2100-01-01T00:00:00Z", "future"),
        ],
    )
    def test_a_wrong_envelope_time_counts_only_where_it_is_needed(
        self, make_record: RecordMaker, time: str, reason: str
    ) -> None:
        binary = {"ce_type": "streamgauge.prediction.v1", "ce_time": time}
        taken = decode(make_record(raw(), **binary))
        assert isinstance(taken, DeadLetter)
        assert (taken.reason, taken.error[:9]) == (reason, "ce_time: ")
        assert isinstance(decode(make_record(raw(timestamp=b"5"), **binary)), Prediction)

    def test_of_a_label_is_when_the_truth_was_seen(self, make_record: RecordMaker) -> None:
        label = {"prediction_id": "p", "model": "m", "label": 1, "observed_at": NOW - 9}
        ahead = label | {"observed_at": NOW + 301}
        decoded = decode_records([make_record(e, topic="a.labels") for e in (label, ahead)])
        assert [row.timestamp for row in decoded.labels] == [NOW - 9]
        assert decoded.dead[0][1].error.startswith("observed_at: lies 301 s ahead")

    def test_a_model_event_may_take_effect_later(self, make_record: RecordMaker) -> None:
        event = {"model": "m", "version": "1", "action": "promoted", "effective_at": NOW + 9e6}
        decoded = decode_records([make_record(event, topic="a.models")])
        assert decoded.model_events[0].event.effective_at == NOW + 9e6

    @pytest.mark.parametrize("timestamp", [None, -0.001, float("nan")])
    def test_a_record_without_time_is_refused(
        self, make_record: RecordMaker, timestamp: float | None
    ) -> None:
        for value in (raw(), raw(timestamp=b"1699999999")):
            taken = decode(make_record(value, timestamp=timestamp))
            assert isinstance(taken, DeadLetter)
            assert (taken.reason, taken.error[:27]) == ("schema", "the record has no timestamp")


def mixed_log() -> list[LogRecord]:
    records = []
    for offset in range(60):
        kind, topic, content = [
            ("prediction", "predictions", raw(model=b'"m%d"' % (offset % 3))),
            ("prediction", "predictions", raw(output=b"{}")),
            ("label", "labels", b'{"prediction_id":"p","model":"m","label":null}'),
            ("feedback", "feedback", b'{"prediction_id":"p","model":"m","kind":"redo"}'),
            ("telemetry", "predictions", b'{"model":"m","service":"s","instance":"i"}'),
            ("model", "models", b'{"model":"m","version":"1","action":"retired"}'),
            ("prediction", "predictions", raw(timestamp=b"1699999%03d" % (999 - offset))),
        ][offset % 7]
        headers = (("ce_type", f"streamgauge.{kind}.v1".encode()),)
        records.append(LogRecord(f"a.{topic}", 0, offset, NOW + offset, None, headers, content))
    return records


def everything(decoded: Decoded, start: int) -> list[tuple[Any, ...]]:
    """All that came of a chunk, by the position in the log."""
    rows: list[tuple[Any, ...]] = [
        (start + row, offset, timestamp, stamp, model, prediction)
        for row, offset, timestamp, stamp, model, prediction in zip(
            decoded.rows.tolist(),
            decoded.offsets.tolist(),
            decoded.timestamps.tolist(),
            decoded.record_timestamps.tolist(),
            decoded.models,
            decoded.predictions,
            strict=True,
        )
    ]
    for others in (decoded.labels, decoded.feedback, decoded.telemetry, decoded.model_events):
        rows += [(start + other.row, other.timestamp, other.event) for other in others]
    rows += [(start + row, letter) for row, letter in decoded.dead]
    return sorted(rows, key=lambda row: int(row[0]))


@settings(max_examples=60, deadline=None)
@given(cuts=st.sets(st.integers(0, 60)))
def test_a_chunk_in_pieces_gives_the_same(cuts: set[int]) -> None:
    log = mixed_log()
    whole = decode_records(log)
    pieces: list[tuple[Any, ...]] = []
    by_model: dict[str, list[int]] = {}
    edges = [0, *sorted(cuts), len(log)]
    for start, stop in zip(edges, edges[1:], strict=False):
        piece = decode_records(log[start:stop])
        pieces += everything(piece, start)
        for model, batch in group_by_model(piece).items():
            by_model.setdefault(model, []).extend(batch.offset.tolist())
    assert pieces == everything(whole, 0)
    assert len(pieces) == len(log)
    assert by_model == {m: b.offset.tolist() for m, b in group_by_model(whole).items()}


def test_an_empty_chunk_has_empty_columns() -> None:
    decoded = decode_records([])
    assert decoded.rows.dtype == decoded.offsets.dtype == np.int64
    assert decoded.timestamps.dtype == decoded.record_timestamps.dtype == np.float64
    assert len(decoded.rows) == 0
    assert group_by_model(decoded) == {}


def test_a_label_of_each_form(make_record: RecordMaker) -> None:
    for label in (True, 3, "good", {"label": "good"}, [0.5], None):
        event = {"prediction_id": "p", "model": "m", "label": label}
        assert isinstance(decode(make_record(event, topic="labels")), Label)


@pytest.mark.parametrize("topic", ["labels", "feedback", "models", "predictions"])
@settings(max_examples=150, deadline=None)
@given(
    value=st.sampled_from(
        (
            b'{"prediction_id": "p", "model": "m", "label": true}',
            b'{"prediction_id": "p", "model": "m", "label": true, "observed_at": 1699999999.5}',
            b'{"prediction_id": "p", "model": "m", "label": true, "observed_at": "2023-11-14"}',
            b'{"prediction_id": "p", "model": "m", "label": true, "observed_at": 1e12}',
            b'{"prediction_id": "p", "model": "m", "label": {"label": "a", "scores": {"a": 1}}}',
            b'{"prediction_id": "p", "model": "m", "kind": "redo"}',
            b'{"model": "m", "version": "1", "action": "promoted"}',
            b'{"prediction_id": "p", "model": "m", "label": 1, "label": "x"}',
            b'{"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}',
            b'{"prediction_id": "\xc3\xa9", "model": "m", "label": 1}',
            b'{"prediction_id": "p"',
        )
    ),
    stamp=st.sampled_from((None, -1.0, 1_700_000_000.0, float("nan"))),
    cut=st.integers(0, 100),
)
def test_the_short_way_says_what_the_long_one_does(
    topic: str, value: bytes, stamp: float | None, cut: int
) -> None:
    record = LogRecord(f"streamgauge.{topic}", 0, 7, stamp, b"m", (), value[: len(value) - cut % 9])
    short = decode_module._take_short(record)
    if short is not None:
        # (spaces before it are longer than what is looked at the short way)
        long = record._replace(value=b" " * decode_module.SHORT + (record.value or b""))
        assert decode_module._take_short(long) is None
        assert decode_module._take(long) == short
