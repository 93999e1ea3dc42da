"""Frames of every kind become the same messages; what can't be taken is counted, never raised."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge_client import PredictionBatch, PredictionEvent, Publisher, decode, partition_key
from streamgauge_client.batch_messages import MAX_BATCH_BYTES, MESSAGE_ROWS
from streamgauge_client.events import BatchOutput
from streamgauge_client.ids import new_id, new_ids
from streamgauge_client.testing import Captured, capture

ReadTopic = Callable[[str, int], list[Any]]
AT = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
COLUMNS: dict[str, list[Any]] = {
    "id": ["a", "b", "c"],
    "at": [AT, AT + timedelta(seconds=1), None],
    "amount": [12.5, None, 3.0],
    "items": [1, 2, 3],
    "country": ["SE", None, "DE"],
    "known": [True, False, True],
    "score": [0.9, 0.1, 0.5],
}


class OnlyArrow:
    """A frame of a library that nobody has heard of."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


FRAMES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "columns": dict,
    "tuples": lambda columns: {name: tuple(column) for name, column in columns.items()},
    "iterators": lambda columns: {name: iter(column) for name, column in columns.items()},
    "pandas": pd.DataFrame,
    "pandas nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "pandas objects": lambda columns: pd.DataFrame(columns, dtype=object),
    "pandas categories": lambda columns: pd.DataFrame(columns).astype({"country": "category"}),
    "polars": pl.DataFrame,
    "polars categories": lambda columns: pl.DataFrame(columns).cast({"country": pl.Categorical}),
    "pyarrow": pa.table,
    "pyarrow nanoseconds": lambda columns: pa.table(
        {**columns, "at": pa.array(columns["at"], pa.timestamp("ns", "UTC"))}
    ),
    "pyarrow dictionary": lambda columns: pa.table(
        {**columns, "country": pa.array(columns["country"]).dictionary_encode()}
    ),
    "pyarrow batch": pa.RecordBatch.from_pydict,
    "narwhals": lambda columns: nw.from_native(pl.DataFrame(columns)),
    "Arrow alone": lambda columns: OnlyArrow(pa.table(columns)),
}


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(model="fraud", version="3.2.0")


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capture() as events:
        yield events


def only(captured: Captured) -> PredictionBatch:
    assert captured.invalid == []
    (batch,) = captured
    assert isinstance(batch, PredictionBatch)
    return batch


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_of_any_kind(kind: str, publisher: Publisher, captured: Captured) -> None:
    # Given the same three rows in a frame of some library
    frame = FRAMES[kind](COLUMNS)
    # When it is logged
    ids = publisher.log_batch(
        frame, output="score", prediction_id="id", timestamp="at", segment=["country"],
        latency_ms=4.5, step="rank", tags={"job": "nightly"},
    )  # fmt: skip
    # Then one message has them, the same whatever the library
    batch = only(captured)
    assert ids == batch.prediction_id == ["a", "b", "c"]
    assert batch.features == {
        "amount": [12.5, None, 3.0], "items": [1, 2, 3], "known": [True, False, True],
    }  # fmt: skip
    assert batch.output == [0.9, 0.1, 0.5]
    assert batch.timestamp == [AT.timestamp(), AT.timestamp() + 1, None]
    assert batch.segment == {"country": ["SE", None, "DE"]}
    assert (batch.model, batch.version, batch.step) == ("fraud", "3.2.0", "rank")
    assert (batch.latency_ms, batch.tags, batch.status) == (4.5, {"job": "nightly"}, "ok")
    stats = publisher.stats()
    assert stats.dropped == {} and stats.sent == 1


def test_columns_alone_and_new_ids(publisher: Publisher, captured: Captured) -> None:
    rows = np.arange(6.0).reshape(3, 2)
    ids = publisher.log_batch(features=dict(zip("ab", rows.T, strict=True)), output=rows[:, 0])
    batch = only(captured)
    assert batch.prediction_id == ids and len(set(ids)) == 3
    assert batch.features == {"a": [0.0, 2.0, 4.0], "b": [1.0, 3.0, 5.0]}
    assert isinstance(batch.timestamp, float)


def test_features_may_be_named(publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch(COLUMNS, features=["amount", "country"], segment="country", output="score")
    assert set(only(captured).features) == {"amount", "country"}


def test_a_frame_of_features_beside_the_frame(publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch(features=pd.DataFrame({"a": [1, 2]}), output=pd.Series([True, False]))
    batch = only(captured)
    assert batch.features == {"a": [1.0, 2.0]} and batch.output == ["true", "false"]


def test_outputs_follow_the_rule_of_single_ones(publisher: Publisher, captured: Captured) -> None:
    # Given outputs in all the forms that models give
    outputs: list[Any] = [
        0.5, 7, True, "cat", [0.1, 0.9], None, {False: 0.2, True: 0.8},
        {"label": 1, "score": 0.5}, np.float64(0.25), np.array([0.1, 0.2]), float("nan"),
        np.bool_(True), pd.NA,
    ]  # fmt: skip
    # When they are logged at once, and one by one
    publisher.log_batch(output=outputs)
    batch = only(captured)
    for output in outputs:
        publisher.log(output=None if output is pd.NA else output)
    # Then they say the same
    assert batch.output == [event.output for event in captured.of(PredictionEvent)]


@pytest.mark.parametrize(
    "output",
    [
        {"fine": "fine", "fraud": "fraud"},
        {"fine": [0.9, 0.2, None], "fraud": [0.1, 0.8, None]},
        pd.DataFrame({"fine": [0.9, 0.2, math.nan], "fraud": [0.1, 0.8, math.nan]}),
        {"label": ["fine", "fraud", None], "score": [0.9, 0.8, None], "scores": {
            "fine": np.array([0.9, 0.2, np.nan]), "fraud": "fraud",
        }},
    ],
    ids=["names", "columns", "frame", "as given"],
)  # fmt: skip
def test_probabilities_by_class(output: Any, publisher: Publisher, captured: Captured) -> None:
    frame = pl.DataFrame({"x": [1, 2, 3], "fine": [0.9, 0.2, None], "fraud": [0.1, 0.8, None]})
    publisher.log_batch(frame, output=output, features=["x"])
    assert only(captured).output == BatchOutput(
        label=["fine", "fraud", None],
        score=[0.9, 0.8, None],
        scores={"fine": [0.9, 0.2, None], "fraud": [0.1, 0.8, None]},
    )


def test_one_output_column_of_an_array(publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch(output=np.array([[0.5], [0.7]]))
    assert only(captured).output == [0.5, 0.7]


def test_values_become_what_single_events_have(publisher: Publisher, captured: Captured) -> None:
    columns: dict[str, Any] = {
        "float32": np.array([1.5, np.nan], np.float32),
        "huge": [2**60, 1],
        "endless": [math.inf, 1.0],
        "decimal": [Decimal("1.5"), None],
        "date": [date(2026, 1, 2), None],
        "moment": np.array(["2026-01-02T03:04:05.123456789", "NaT"], "datetime64[ns]"),
        "pandas moment": pd.Series([AT, pd.NaT]),
        "mixed": ["x", 5],
        "vector": np.array([[1.0, 2.0], [3.0, math.nan]]),
        "nullable": pd.array([1, None], dtype="Int64"),
        "long": ["x" * 2000, "y"],
        "numpy objects": np.array([np.int64(5), np.float32(0.5)], dtype=object),
    }
    publisher.log_batch(columns)
    assert only(captured).features == {
        "float32": [1.5, None], "huge": [float(2**60), 1.0], "endless": [None, 1.0],
        "decimal": [1.5, None], "date": ["2026-01-02", None],
        "moment": ["2026-01-02T03:04:05.123456", None],
        "pandas moment": [AT.isoformat(), None], "mixed": ["x", 5.0],
        "vector": [[1.0, 2.0], None], "nullable": [1.0, None], "long": ["x" * 1024, "y"],
        "numpy objects": [5.0, 0.5],
    }  # fmt: skip
    # And what was changed is counted once a column
    assert publisher.stats().adjusted == {"nonfinite": 5, "truncated": 1}


def test_a_million_gaps_are_counted_once(publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch({"a": np.full(20_000, np.nan), "b": pd.Series([pd.NaT] * 20_000)})
    assert publisher.stats().adjusted == {"nonfinite": 2}
    assert sum(len(batch.prediction_id) for batch in captured.of(PredictionBatch)) == 20_000


def test_categories_by_the_hundred_thousand(publisher: Publisher, captured: Captured) -> None:
    many = pd.Series([f"customer-{number}" for number in range(100_000)], dtype="category")
    publisher.log_batch(pd.DataFrame({"customer": many}), output=np.zeros(100_000))
    batches = captured.of(PredictionBatch)
    assert [value for batch in batches for value in batch.features["customer"]] == list(many)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (None, "now"),
        (1_790_000_000, 1_790_000_000),
        (AT, AT.timestamp()),
        ("2026-09-21T14:13:20Z", "2026-09-21T14:13:20Z"),
        (np.array([1.79e9, math.nan]), [1.79e9, None]),
        ([1_790_000_000, AT.astimezone(timezone(timedelta(hours=2)))], [1.79e9, AT.timestamp()]),
        (["2026-09-21T14:13:20Z", None], ["2026-09-21T14:13:20Z", None]),
        (pd.Series([AT, AT]), [AT.timestamp()] * 2),
    ],
)
def test_times(at: Any, expected: Any, publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch({"a": [1, 2]}, timestamp=at)
    timestamp = only(captured).timestamp
    assert timestamp == expected if expected != "now" else isinstance(timestamp, float)


def test_status_latency_and_owners_by_row(publisher: Publisher, captured: Captured) -> None:
    frame = pd.DataFrame(
        {"ms": [3.0, -1.0, math.nan], "how": ["ok", "error", "fallback"], "who": ["e", None, "f"]}
    )
    publisher.log_batch(frame, latency_ms="ms", status="how", entity_id="who", output=[1, 2, 3])
    batch = only(captured)
    assert batch.latency_ms == [3.0, None, None]
    assert batch.status == ["ok", "error", "fallback"]
    assert batch.entity_id == ["e", None, "f"] and batch.features == {}
    assert publisher.stats().adjusted["latency"] == 1


def test_segments_by_column_and_for_all(publisher: Publisher, captured: Captured) -> None:
    publisher.log_batch(
        COLUMNS, segment={"market": "country", "channel": "web", "old": [1, 2, None]}
    )
    batch = only(captured)
    assert batch.segment == {
        "market": ["SE", None, "DE"], "channel": "web", "old": ["1", "2", None],
    }  # fmt: skip
    assert "country" not in batch.features


REFUSED: dict[str, tuple[Callable[[], Any], dict[str, Any], str, str]] = {
    "two columns of a name": (
        lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "invalid",
        "two columns are called 'a'",
    ),
    "a number and its text": (
        lambda: pd.DataFrame([[1, 2]], columns=[1, "1"]), {}, "invalid", "two columns are called",
    ),
    "names in two levels": (
        lambda: pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), {},
        "invalid", "join it into one text",
    ),
    "objects": (
        lambda: pd.DataFrame({"a": [1, object()]}), {}, "unencodable", "feature 'a' is a object",
    ),
    "durations": (
        lambda: pl.DataFrame({"a": [timedelta(1)]}), {}, "unencodable", "'a' is a timedelta",
    ),
    "columns of different length": (
        lambda: {"a": [1, 2], "b": [1]}, {}, "invalid", "features.b has 1 rows, features.a has 2",
    ),
    "an output of another length": (
        lambda: {"a": [1, 2]}, {"output": [1]}, "invalid", "has 2 rows, output has 1",
    ),
    "probabilities of different length": (
        lambda: None, {"output": {"x": [1], "y": [1, 2]}}, "invalid", "y has 2 rows, x has 1",
    ),
    "a column that is not there": (
        lambda: COLUMNS, {"output": "scroe"}, "invalid", "did you mean 'score'?",
    ),
    "a time that is not there": (
        lambda: COLUMNS, {"timestamp": "when"}, "invalid", "timestamp='when' names no column",
    ),
    "ids with gaps": (
        lambda: {"id": ["a", None]}, {"prediction_id": "id"}, "invalid", "missing in row 1",
    ),
    "times without a zone": (
        lambda: pd.DataFrame({"at": [datetime(2026, 1, 1)]}), {"timestamp": "at"}, "invalid",
        "tz_localize",
    ),
    "milliseconds": (
        lambda: {"at": [1.79e12]}, {"timestamp": "at"}, "invalid", "looks like milliseconds",
    ),
    "an unknown status": (
        lambda: {"a": [1, 2]}, {"status": ["ok", "okay"]}, "invalid", "status 'okay' is unknown",
    ),
    "a lazy frame": (
        lambda: pl.LazyFrame({"a": [1]}), {}, "invalid", "call its .collect() first",
    ),
    "an array": (lambda: np.ones((2, 2)), {}, "invalid", "a ndarray is no frame"),
    "rows": (lambda: [{"a": 1}], {}, "invalid", "a list is no frame"),
    "features without names": (
        lambda: None, {"features": np.ones((2, 2))}, "invalid", "dict(zip(names, X.T))",
    ),
    "too many columns": (
        lambda: {f"c{number}": [1] for number in range(1001)}, {}, "invalid", "1,001 columns",
    ),
    "text that is no Unicode": (
        lambda: {"a": ["\ud800"]}, {}, "unencodable", "features.a has no JSON",
    ),
    "a row of a megabyte": (
        lambda: {f"c{number}": ["x" * 1024] for number in range(1000)}, {}, "too_large",
        "one row takes",
    ),
    "text for a column": (lambda: {"a": "abc"}, {}, "invalid", "give one value a row"),
    "nothing at all": (lambda: None, {}, "invalid", "no column was given"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_is_counted(
    case: str, publisher: Publisher, captured: Captured
) -> None:
    make, arguments, reason, told = REFUSED[case]
    publisher.log_batch(make(), **arguments)
    assert captured == [] and captured.invalid == []
    stats = publisher.stats()
    assert stats.dropped == {reason: 1}
    assert told in str(stats.last_error)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(), pd.DataFrame({"a": []}), pl.DataFrame(), pa.table({"a": []}), {},
        {"a": []}, {"a": iter([])},
    ],
    ids=["pandas", "pandas columns", "polars", "pyarrow", "dict", "list", "iterator"],
)  # fmt: skip
def test_an_empty_frame_is_nothing_wrong(
    frame: Any, publisher: Publisher, captured: Captured
) -> None:
    empty: Sequence[float] = []
    assert publisher.log_batch(frame, output=empty) == []
    assert captured == []
    assert (publisher.stats().dropped, publisher.stats().sent) == ({}, 0)


def test_an_empty_frame_need_not_have_its_columns(publisher: Publisher, captured: Captured) -> None:
    assert publisher.log_batch(pd.DataFrame(), output="score", prediction_id="id") == []
    assert publisher.stats().dropped == {}


def test_many_rows_go_in_messages_that_fit(publisher: Publisher) -> None:
    # Given rows of which some are a hundred times as large as others
    n = 12_000
    text = ["x" * (1000 if 4_000 <= row < 7_000 else 10) for row in range(n)]
    sizes: list[int] = []

    class Sizes(Captured):
        def record(self, topic: str, key: bytes, value: bytes, headers: Any) -> None:
            sizes.append(len(value))
            super().record(topic, key, value, headers)

    from streamgauge_client.recording import recorders

    captured = Sizes()
    recorders.append(captured)
    try:
        ids = publisher.log_batch({"text": text}, output=np.arange(n))
    finally:
        recorders.remove(captured)
    # Then every row is there once, in its order, and no message is too large
    batches = captured.of(PredictionBatch)
    assert [one for batch in batches for one in batch.prediction_id] == ids
    assert [one for batch in batches for one in batch.output] == list(range(n))
    assert max(sizes) <= MAX_BATCH_BYTES
    assert max(len(batch.prediction_id) for batch in batches) <= MESSAGE_ROWS
    assert len(batches) < 20, "they are not cut smaller than they must"


def test_one_bad_message_costs_no_other(publisher: Publisher, captured: Captured) -> None:
    text = ["fine"] * 12_000
    text[6_000] = "\ud800"
    publisher.log_batch({"text": text})
    assert sum(len(batch.prediction_id) for batch in captured.of(PredictionBatch)) == 7_000
    assert publisher.stats().dropped == {"unencodable": 1}


def test_a_shard_a_message(broker: str, unused_prefix: str, read_topic: ReadTopic) -> None:
    # Given a model in four shards
    with Publisher(
        broker, model="hot", version="1", shards=4, topic_prefix=unused_prefix
    ) as publisher:
        # When a frame is logged
        ids = publisher.log_batch({"row": list(range(200))}, output=np.zeros(200))
        publisher.label(ids[0], 1.0)
    # Then its rows lie where their labels will be, with their own values
    messages = read_topic(f"{unused_prefix}.predictions", 4)
    rows = {}
    for message in messages:
        batch = decode(message.topic(), message.headers(), message.value())
        assert isinstance(batch, PredictionBatch)
        for prediction_id, row in zip(batch.prediction_id, batch.features["row"], strict=True):
            assert message.key() == partition_key("hot", prediction_id, 4)
            rows[prediction_id] = row
    assert [rows[one] for one in ids] == list(range(200))
    (label,) = read_topic(f"{unused_prefix}.labels", 1)
    assert label.key() == partition_key("hot", ids[0], 4)


def test_sampling_is_asked_for() -> None:
    publisher = Publisher(model="m", version="1", sample_rate=0.1)
    status = ["ok", "error"] * 500
    with capture() as everything:
        assert len(publisher.log_batch({"a": [1] * 1000}, status=status)) == 1000
    assert len(only(everything).prediction_id) == 1000
    with capture() as sampled:
        ids = publisher.log_batch({"a": [1] * 1000}, status=status, sampled=True)
    # Then errors are all there, and the others are those that single events would have kept
    kept, errors = sampled.of(PredictionBatch)
    assert len(ids) == 1000 and set(errors.prediction_id) == set(ids[1::2])
    with capture() as one_by_one:
        for prediction_id in ids[::2]:
            publisher.log(prediction_id=prediction_id)
    singly = [event.prediction_id for event in one_by_one.of(PredictionEvent)]
    assert kept.prediction_id == singly and 20 < len(singly) < 90


def test_privacy_holds_for_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_PRIVACY__KEY", "k")
    privacy = {
        "name": "drop", "mail": "hash", "age": {"bucket": 10}, "entity_id": "hash", "raw": "drop",
    }  # fmt: skip
    publisher = Publisher(model="m", version="1", privacy=privacy)
    rows: dict[str, list[Any]] = {
        "name": ["Anna", "Bo"], "mail": ["a@x", None], "age": [47, "old"], "amount": [1.5, 2.5],
        "raw": [object(), object()],
    }  # fmt: skip
    with capture() as batches:
        publisher.log_batch(rows, entity_id=["e", "f"], segment={"mail": ["a@x", "b@x"]})
    batch = only(batches)
    # Then the columns are what single events would have had
    with capture() as singles:
        for row in range(2):
            publisher.log(
                {name: column[row] for name, column in rows.items()},
                entity_id="ef"[row],
                segment={"mail": ["a@x", "b@x"][row]},
            )
    first, second = singles.of(PredictionEvent)
    assert {name: column[0] for name, column in batch.features.items()} == first.features
    assert {name: column[1] for name, column in batch.features.items()} == {
        **second.features, "age": None,
    }  # fmt: skip
    assert batch.entity_id == [first.entity_id, second.entity_id]
    assert batch.segment == {"mail": [first.segment["mail"], second.segment["mail"]]}
    assert publisher.stats().adjusted["privacy"] == 2


def test_the_callers_frame_stays_as_it_was(publisher: Publisher, captured: Captured) -> None:
    columns: dict[str, list[Any]] = {"a": [1.0, math.inf], "b": ["x" * 2000, "y"]}
    before = {name: list(column) for name, column in columns.items()}
    publisher.log_batch(columns)
    assert columns == before


def test_ids_made_at_once_are_ids() -> None:
    ids = new_ids(1000)
    assert len(set(ids)) == 1000 and {len(one) for one in ids} == {36}
    import uuid

    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert ids[0][:8] <= new_id()[:8]


VALUES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats()
    | st.text(max_size=5) | st.dates() | st.decimals(allow_nan=False, allow_infinity=False)
    | st.lists(st.floats(), max_size=3) | st.just(pd.NA) | st.just(np.float32(0.5))
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6))
def test_a_column_says_what_single_events_say(values: list[Any]) -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        for value in values:
            publisher.log({"a": value})
        ids = publisher.log_batch({"a": values})
    singles = events.of(PredictionEvent)
    if len(singles) < len(values):
        # One value that an event can't have costs the batch, as it costs the event
        assert ids == [] or events.of(PredictionBatch) == []
    else:
        (batch,) = events.of(PredictionBatch)
        assert batch.features["a"] == [event.features["a"] for event in singles]
