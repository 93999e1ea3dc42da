from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.batch.columns import (
    ABSENT,
    CATEGORY,
    ERROR,
    FALLBACK,
    NULL,
    NUMBER,
    OK,
    VECTOR,
    EventBatch,
    feature_columns,
    group_by_model,
)
from streamgauge.batch.decode import decode_records
from streamgauge.processing import LogRecord

RecordMaker = Callable[..., LogRecord]
nan = float("nan")


@pytest.fixture
def batch(make_record: RecordMaker) -> Callable[..., EventBatch]:
    """The batch of one model's predictions, each given by what differs from the simplest one."""

    def make(*differences: dict[str, Any]) -> EventBatch:
        simplest = {"prediction_id": "p", "model": "m", "version": "1", "output": 0.5}
        records = [
            make_record(simplest | difference, offset=10 + i)
            for i, difference in enumerate(differences)
        ]
        decoded = decode_records(records)
        assert decoded.dead == []
        return group_by_model(decoded)["m"]

    return make


@pytest.mark.parametrize(
    ("output", "score", "label", "null"),
    [
        (0.25, 0.25, None, False),
        (3, 3.0, None, False),
        (True, nan, "true", False),
        (False, nan, "false", False),
        ("cat", nan, "cat", False),
        ("0.5", nan, "0.5", False),
        ({"label": "cat"}, nan, "cat", False),
        ({"label": "cat", "score": 0.9}, 0.9, "cat", False),
        ({"label": "cat", "scores": {"cat": 0.7, "dog": 0.3}}, 0.7, "cat", False),
        ({"label": "cat", "score": 0.9, "scores": {"cat": 0.7}}, 0.9, "cat", False),
        ({"label": "cat", "scores": {"dog": 0.3}}, nan, "cat", False),
        ([0.1, 0.9], nan, None, False),
        (None, nan, None, True),
    ],
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "among numbers"])
def test_output(
    batch: Callable[..., EventBatch],
    output: Any,
    score: float,
    label: str | None,
    null: bool,
    alone: bool,
) -> None:
    events = [{"output": output}] if alone else [{"output": output}, {"output": 7}]
    columns = batch(*events)
    np.testing.assert_equal(columns.score[0], score)
    assert columns.label[0] == label
    assert columns.null_output[0] == null
    if not alone:
        assert (columns.score[1], columns.label[1], columns.null_output[1]) == (7.0, None, False)


def test_columns_of_a_batch(batch: Callable[..., EventBatch]) -> None:
    columns = batch(
        {"latency_ms": 250, "step": "rank", "features": {"a": 1}},
        {"status": "error", "output": None, "version": "2", "prediction_id": "q"},
        {"status": "fallback", "timestamp": 5.0, "latency_ms": 0},
    )
    assert len(columns) == 3
    assert columns.offset.tolist() == [10, 11, 12]
    assert columns.row.tolist() == [0, 1, 2]
    assert columns.timestamp.tolist() == [1.7e9, 1.7e9, 5.0]
    assert columns.record_timestamp.tolist() == [1.7e9] * 3
    assert columns.version == ["1", "2", "1"]
    assert columns.step == ["rank", "", ""]
    np.testing.assert_array_equal(columns.latency_seconds, [0.25, nan, 0.0])
    assert columns.status.tolist() == [OK, ERROR, FALLBACK]
    assert columns.status.dtype == np.int8
    assert columns.null_output.tolist() == [False, True, False]
    assert columns.prediction_id == ["p", "q", "p"]
    assert columns.features == [{"a": 1.0}, {}, {}]


def test_no_latency_at_all_is_a_column_of_nan(batch: Callable[..., EventBatch]) -> None:
    assert np.isnan(batch({}, {}).latency_seconds).all()


def test_take_and_slice(batch: Callable[..., EventBatch]) -> None:
    columns = batch(*({"features": {"a": i}, "version": str(i)} for i in range(5)))
    taken = columns.take(np.array([4, 0, 2]))
    assert (taken.offset.tolist(), taken.version) == ([14, 10, 12], ["4", "0", "2"])
    assert taken.features == [{"a": 4.0}, {"a": 0.0}, {"a": 2.0}]
    cut = columns.slice(1, 3)
    assert (cut.model, cut.offset.tolist(), cut.version) == ("m", [11, 12], ["1", "2"])
    assert np.shares_memory(cut.offset, columns.offset)
    assert len(columns.take(np.array([], dtype=np.int64))) == len(columns.slice(2, 2)) == 0


def test_models_in_first_seen_order_each_in_log_order(make_record: RecordMaker) -> None:
    # Given four models' predictions in turns, with a dead letter now and then
    names = [["zeta", "alpha", "nu", "beta"][i * i % 7 % 4] for i in range(40)]
    records = [
        make_record(
            {"prediction_id": f"p{i}", "model": name, "version": "1", "output": float(i)}
            if i % 9
            else b"broken",
            offset=100 + i,
        )
        for i, name in enumerate(names)
    ]
    # When they are grouped
    groups = group_by_model(decode_records(records))
    # Then each model has its own, in order, and a row leads back to its record
    good = [i for i in range(40) if i % 9]
    assert list(groups) == list(dict.fromkeys(names[i] for i in good))
    for model, columns in groups.items():
        expected = [i for i in good if names[i] == model]
        assert columns.model == model
        assert columns.row.tolist() == expected
        assert columns.offset.tolist() == [100 + i for i in expected]
        assert columns.score.tolist() == [float(i) for i in expected]
        assert columns.prediction_id == [f"p{i}" for i in expected]


ABSENT_MARK = "(absent)"
CELLS: list[tuple[Any, int, float, str | None]] = [
    (1.5, NUMBER, 1.5, None),
    (-0.0, NUMBER, -0.0, None),
    ("1.5", CATEGORY, nan, "1.5"),
    ("nan", CATEGORY, nan, "nan"),
    ("", CATEGORY, nan, ""),
    (True, CATEGORY, nan, "true"),
    (False, CATEGORY, nan, "false"),
    (None, NULL, nan, None),
    (ABSENT_MARK, ABSENT, nan, None),
    ([1.0, 2.0, 3.0], VECTOR, 3.0, None),
    ([], VECTOR, 0.0, None),
]


@settings(max_examples=300, deadline=None)
@given(
    cells=st.lists(st.lists(st.sampled_from(CELLS), min_size=3, max_size=3), max_size=8),
    width=st.integers(1, 3),
)
def test_each_cell_becomes_its_kind(
    cells: list[list[tuple[Any, int, float, str | None]]], width: int
) -> None:
    # Given any mixture of cells in up to three features
    names = ["a", "b", "c"][:width]
    features = [
        {name: cell[0] for name, cell in zip(names, row, strict=False) if cell[0] != ABSENT_MARK}
        for row in cells
    ]
    # When they become columns
    columns = feature_columns(features, names)
    # Then each row says what its cell was, whatever stands beside it
    assert list(columns) == names
    for place, name in enumerate(names):
        column = columns[name]
        assert column.kind.dtype == np.int8
        assert column.values.dtype == np.float64
        assert column.kind.tolist() == [row[place][1] for row in cells]
        np.testing.assert_array_equal(column.values, np.array([row[place][2] for row in cells]))
        categories = [row[place][3] for row in cells]
        if any(category is not None for category in categories):
            assert column.categories == categories
        else:
            assert column.categories is None


def test_a_nan_from_elsewhere_is_null() -> None:
    for beside in (1.0, "x"):
        column = feature_columns([{"a": nan}, {"a": beside}], ["a"])["a"]
        assert column.kind[0] == NULL


def test_features_of_decoded_events_are_doubles(batch: Callable[..., EventBatch]) -> None:
    columns = batch({"features": {"a": 1, "b": "x"}}, {"features": {"a": 2**53, "b": None}})
    both = columns.features.columns(["a", "b"])
    assert both["a"].values.tolist() == [1.0, 2.0**53]
    assert both["b"].kind.tolist() == [CATEGORY, NULL]


def test_no_names_no_columns() -> None:
    assert feature_columns([{"a": 1.0}], []) == {}
