"""What is known of events' features makes decoding faster, and changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.batch import shapes as module
from streamgauge.batch.columns import EventBatch, group_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.batch.shapes import ShapedFeatures, Shapes, shape
from streamgauge.processing import LogRecord

NOW = 1_790_000_000.0
NAMES = ("amount", "country", "f0", "names", "class", "", 'a "b"', "c\\d", "\n")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, "", "1.5", "se", "x" * 70]),
    st.lists(st.floats(-1, 1), max_size=3),
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4) | st.just({"amount": 1.5}),
    ),
    min_size=1,
    max_size=12,
)


def record(i: int, model: str, features: Any) -> LogRecord:
    event = {
        "prediction_id": f"p-{i}",
        "model": model,
        "version": "1",
        "timestamp": NOW + i,
        "output": 0.5,
        "features": features,
    }
    value = orjson.dumps(event)
    return LogRecord("streamgauge.predictions", 0, i, NOW + i, model.encode(), (), value)


def everything(batch: EventBatch) -> list[Any]:
    """What a batch says of its features, to be compared."""
    features = batch.features
    columns = features.columns([*NAMES, "unheard of"])
    return [
        batch.model,
        batch.prediction_id,
        features.first_rows({"country"}),
        features.values_of({"amount", "f0"}),
        [
            (name, column.kind.tolist(), repr(column.values.tolist()), column.categories)
            for name, column in columns.items()
        ],
        [dict(sorted(each.items())) for each in features.redacted(dict)],  # type: ignore[union-attr]
    ]


@given(EVENTS, st.integers(1, 12))
def test_a_known_shape_changes_nothing(events: list[tuple[str, Any]], size: int) -> None:
    # Given events of two models, whose features have whatever names and types, cut anyhow
    log = [record(i, *event) for i, event in enumerate(events)]
    chunks = [log[start : start + size] for start in range(0, len(log), size)]
    # When they are decoded twice with what is learned of them on the way, and without
    learned = Shapes()
    for chunk in chunks * 2:
        knowing, fresh = decode_records(chunk, learned), decode_records(chunk)
        # Then both give the same
        assert [row for row, _ in knowing.dead] == [row for row, _ in fresh.dead]
        batches = [group_by_model(decoded).values() for decoded in (knowing, fresh)]
        for one, other in zip(*batches, strict=True):
            assert everything(one) == everything(other)


def test_the_second_chunk_of_a_model_is_decoded_by_its_shape() -> None:
    # Given features that are sometimes null, and one that is sometimes not there at all
    chunk = [
        record(i, "a", {"amount": None if i % 3 else 0.5} | ({"country": "se"} if i % 2 else {}))
        for i in range(12)
    ]
    shapes = Shapes()
    decode_records(chunk, shapes)
    # When a chunk of the same comes
    features = [event.features for event in decode_records(chunk, shapes).predictions]
    # Then all of it has one shape, and the column knows absent from null
    assert len({type(each) for each in features}) == 1
    assert isinstance(features[0], ShapedFeatures)
    (batch,) = group_by_model(decode_records(chunk, shapes)).values()
    columns = batch.features.columns(["country", "amount"])
    assert columns["country"].categories == [None, "se"] * 6
    assert np.isnan(columns["amount"].values).sum() == 8


@pytest.mark.parametrize(
    ("features", "wrong"),
    [({"x": "a"}, "float"), ({"y": 1.0}, "unknown field")],
    ids=["another type", "another name"],
)
def test_what_does_not_fit_is_refused_by_the_shape(features: Any, wrong: str) -> None:
    decode = shape((("x", float),))
    with pytest.raises(ValueError, match=wrong):
        decode(record(0, "a", features).value or b"")


def test_a_model_whose_events_have_few_of_many_names_has_no_shape() -> None:
    # Given events that have one of a hundred features each
    chunk = [record(i, "a", {f"f{i}": 1.0}) for i in range(100)]
    shapes = Shapes()
    for _ in range(3):
        decoded = decode_records(chunk, shapes)
    # Then they stay dictionaries: nearly all fields would be empty
    assert {type(event.features) for event in decoded.predictions} == {dict}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the shapes that are made from here on."""
    sizes: list[int] = []

    def counted(kinds: module.Kinds) -> module.Decode:
        sizes.append(len(kinds))
        return shape(kinds)

    monkeypatch.setattr(module, "shape", counted)
    return sizes


@pytest.mark.parametrize(
    "features",
    [
        b'{"a \\"b\\"": 1}',
        b'{"a\\\\b": 1}',
        b'{"a\\nb": 1}',
        b'{"amount": "text", "amount": 1}',
        b'{"amount": 1, "amount": [1]}',
    ],
    ids=["quote", "backslash", "line break", "twice", "twice, the other way"],
)
def test_what_never_has_a_shape_is_tried_but_once_and_harms_no_neighbour(
    features: bytes, made: list[int]
) -> None:
    # Given a producer whose events no shape can hold, among those of another
    chunk = [record(i, "ab"[i % 2], {"amount": 1.5}) for i in range(12)]
    chunk[5] = chunk[5]._replace(value=(chunk[5].value or b"").replace(b'{"amount":1.5}', features))
    assert features in (chunk[5].value or b"")
    shapes = Shapes()
    # When they come again and again
    for _ in range(5):
        decoded = decode_records(chunk, shapes)
    # Then nothing is made for them again, and the other's events keep their shape
    assert len(made) <= 3
    assert not decoded.dead
    assert {type(event.features) for event in decoded.predictions[::2]} != {dict}


def test_shapes_that_change_with_each_record_are_made_as_records_pay_for_them(
    made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given keys that are new in each record, and features that no other record has
    monkeypatch.setattr(module, "MOST_FIELDS", 1_000)
    shapes = Shapes()
    # When there are many of them, one in each chunk
    for i in range(3_000):
        decode_records([record(i, f"m{i}", {f"f{i}": 1.0, f"g{i}": 1.0})], shapes)
    # Then there are as many shapes as were free, and one in a hundred records; a few are kept
    assert 30 < len(made) <= 10 + 30
    assert len(shapes._made) <= 10
    # And who comes later is learned all the same.
    later = [record(i, "late", {"x": 1.0}) for i in range(256)]
    decode_records(later, shapes)
    (event, *_) = decode_records(later, shapes).predictions
    assert isinstance(event.features, ShapedFeatures)


def test_a_producer_that_adds_a_name_in_each_record_gets_one_shape_a_chunk(
    made: list[int],
) -> None:
    usual = {f"f{j}": 1.0 for j in range(50)}
    chunk = [record(i, "a", usual | {f"new{i}": 1.0}) for i in range(40)]
    decode_records(chunk, Shapes())
    assert made == [90]


def test_keys_of_any_length_are_not_kept(made: list[int]) -> None:
    # Given a key as large as a record may be
    large = record(0, "a", {"x": 1.0})._replace(key=b"k" * 900_000)
    shapes = Shapes()
    # When it comes
    assert decode_records([large, large], shapes).models == ["a", "a"]
    # Then nothing remembers it
    assert not shapes._decoders
    assert not made


def test_keys_beyond_those_that_are_kept_make_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given more keys than are kept, all of one shape
    monkeypatch.setattr(module, "MOST_KEYS", 5)
    shapes = Shapes()
    for i in range(23):
        decode_records([record(i, f"m{i}", {"x": 1.0})], shapes)
        assert len(shapes._decoders) <= 5
    # Then the last ones are known
    (event,) = decode_records([record(0, "m22", {"x": 1.0})], shapes).predictions
    assert isinstance(event.features, ShapedFeatures)
