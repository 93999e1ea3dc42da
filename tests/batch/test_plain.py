"""The usual chunk is decoded as a whole; whatever is unusual in it is taken by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pytest

from streamgauge.batch.decode import decode_records
from streamgauge.batch.decoded import Decoded
from streamgauge.batch.feature_table import FeatureRows
from streamgauge.batch.plain import _places, plain_predictions
from streamgauge.batch.record_columns import RecordColumns
from streamgauge.batch.shapes import Shapes
from streamgauge.batch.structs import Prediction
from streamgauge.processing import LogRecord

NOW = 1_790_000_000.0


def usual(i: int, **changed: Any) -> LogRecord:
    """A record as our client writes it."""
    event = {
        "prediction_id": f"p-{i}",
        "model": "fraud",
        "version": "1",
        "timestamp": NOW + i,
        "features": {"amount": i / 2, "country": "se"},
        "output": 0.5,
    } | changed
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"p-{i}".encode()),
        ("ce_type", b"streamgauge.prediction.v1"),
        ("ce_sequence", f"0123456789abcdef-{i}".encode()),
        ("ce_source", b"/shop"),
        ("ce_time", b"2026-11-26T03:00:00Z"),
        ("ce_subject", b"fraud"),
        ("content-type", b"application/json"),
    )
    value = orjson.dumps(event)
    return LogRecord("streamgauge.predictions", 0, i, NOW + i, b"fraud", headers, value)


def with_header(record: LogRecord, name: str, value: bytes, at: int = 4) -> LogRecord:
    headers = (*record.headers[:at], (name, value), *record.headers[at:])
    return record._replace(headers=headers)


UNUSUAL: dict[str, Callable[[int], LogRecord]] = {
    "null": lambda i: usual(i)._replace(value=None),
    "no text": lambda i: usual(i)._replace(value=b"\xff\xfe"),
    "broken": lambda i: usual(i)._replace(value=b'{"model": '),
    "half a character": lambda i: usual(i)._replace(value=(usual(i).value or b"") + b"\xc3"),
    "the other half": lambda i: usual(i)._replace(value=b"\xa9" + (usual(i).value or b"")),
    "milliseconds": lambda i: usual(i, timestamp=1000 * (NOW + i)),
    "ahead": lambda i: usual(i, timestamp=NOW + i + 3600),
    "no time": lambda i: usual(i, timestamp=None),
    "no record time": lambda i: usual(i)._replace(timestamp=None),
    "nameless": lambda i: usual(i, model=""),
    "too large": lambda i: usual(i, tags={"x": "y" * 300_000}),
    "a label": lambda i: usual(i)._replace(topic="streamgauge.labels"),
    "bare": lambda i: usual(i)._replace(headers=()),
    "sampled": lambda i: with_header(usual(i), "ce_sampledrate", b"10"),
    "another type": lambda i: with_header(usual(i), "ce_type", b"streamgauge.label.v1", at=0),
    "two numbers": lambda i: with_header(usual(i), "ce_sequence", b"ffff-9", at=7),
    "structured": lambda i: usual(i)._replace(
        headers=(("content-type", b"application/cloudevents+json"),)
    ),
    "deep": lambda i: usual(i)._replace(value=b'{"tags": ' + b"[" * 50 + b"]" * 50 + b"}"),
}


def one_by_one(records: list[LogRecord]) -> list[Any]:
    """What each record gives when it is a chunk of its own, with its index as its row."""
    found: list[Any] = []
    for i, record in enumerate(records):
        found += plainly(decode_records([record]), i)
    return found


def unshaped(event: Prediction) -> Prediction:
    """The event with its features as a dictionary, however they were decoded."""
    (features,) = FeatureRows([event.features]).dicts()
    fields = msgspec.structs.asdict(event) | {"features": features}
    return Prediction(**fields)


def plainly(decoded: Decoded, first: int = 0) -> list[Any]:
    """Everything that was decoded, in the order of the records."""
    predictions = zip(
        (decoded.rows + first).tolist(),
        decoded.offsets.tolist(),
        decoded.timestamps.tolist(),
        decoded.record_timestamps.tolist(),
        decoded.weights.tolist(),
        map(unshaped, decoded.predictions),
        strict=True,
    )
    rows: list[Any] = [("prediction", *each) for each in predictions]
    rows += [("dead", row + first, letter) for row, letter in decoded.dead]
    rows += [("sequence", row + first, model, number) for row, model, number in decoded.sequences]
    rows += [("label", each.row + first, each.event) for each in decoded.labels]
    return sorted(rows, key=lambda each: (each[1], each[0]))


def test_a_usual_chunk_is_decoded_as_a_whole_and_as_one_by_one() -> None:
    records = [usual(i) for i in range(700)]
    plain = plain_predictions(RecordColumns.of(records), Shapes())
    assert plain is not None and len(plain.events) == len(plain.sequences) == 700
    assert plainly(decode_records(records)) == one_by_one(records)


def test_bare_json_and_other_clients_headers_are_usual_too() -> None:
    bare = [usual(i)._replace(headers=()) for i in range(5)]
    other = [
        usual(i)._replace(headers=(usual(i).headers[2], usual(i).headers[-1])) for i in range(5)
    ]
    for records in (bare, other):
        plain = plain_predictions(RecordColumns.of(records), Shapes())
        assert plain is not None and plain.sequences == []
        assert plainly(decode_records(records)) == one_by_one(records)


def test_any_language_is_usual() -> None:
    records = [usual(i, features={"city": "Malmö", "name": "東京"}) for i in range(300)]
    assert plain_predictions(RecordColumns.of(records[:3]), Shapes()) is not None
    assert plainly(decode_records(records)) == one_by_one(records)


def test_halves_of_a_character_in_neighbours_make_no_whole_one() -> None:
    records = [usual(0), UNUSUAL["half a character"](1), UNUSUAL["the other half"](2)]
    assert plain_predictions(RecordColumns.of(records), Shapes()) is None
    assert plainly(decode_records(records)) == one_by_one(records)


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("at", [0, 300, 599])
def test_what_is_unusual_is_taken_by_itself_and_changes_nothing_for_others(
    name: str, at: int
) -> None:
    # Given one record among six hundred that is not as the others
    records = [usual(i) for i in range(600)]
    records[at] = UNUSUAL[name](at)
    # Then its block is not decoded as a whole
    three = RecordColumns.of([usual(1), records[at], usual(2)])
    assert plain_predictions(three, Shapes()) is None
    # And all are what they are one by one, in the order of the log
    decoded = decode_records(records)
    assert plainly(decoded) == one_by_one(records)
    assert decoded.rows.tolist() == sorted(decoded.rows.tolist())
    assert [row for row, _, _ in decoded.sequences] == sorted(r for r, _, _ in decoded.sequences)


@pytest.mark.parametrize(
    "extra",
    [tuple((f"x{n}", b"1") for n in range(500)), (("x" * 100_000, b"1"),)],
    ids=["many", "long"],
)
def test_header_names_of_any_size_are_not_kept_in_memory(
    extra: tuple[tuple[str, bytes], ...],
) -> None:
    # Given records that are usual but for the names of their headers
    flooded = [usual(i)._replace(headers=(*extra, *usual(i).headers)) for i in range(3)]
    kept = _places.cache_info().currsize
    # Then they are taken one by one, and nothing remembers those names
    assert plain_predictions(RecordColumns.of(flooded), Shapes()) is None
    assert len(decode_records(flooded).predictions) == 3
    assert _places.cache_info().currsize == kept
