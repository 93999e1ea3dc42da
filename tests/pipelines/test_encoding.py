"""Categories as numbers: exact values, and how many there may be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from streamgauge.pipelines.encoding import ENCODINGS, MOST_VALUES, OTHER, Category, Encoding


def rows(encode: Encoding, column: Category, values: Iterable[object]) -> list[dict[str, float]]:
    found = []
    for value in values:
        row: dict[str, float] = {}
        encode([column], {"c": value}.get, row, 1.0)
        found.append(row)
    return found


def test_one_hot_without_zeros() -> None:
    sparse, _ = ENCODINGS["one_hot"]
    assert rows(sparse, Category("c"), ["a", None, "b", True]) == [
        {"c=a": 1.0},
        {},
        {"c=b": 1.0},
        {"c=true": 1.0},
    ]


def test_one_hot_with_zeros() -> None:
    _, dense = ENCODINGS["one_hot"]
    assert rows(dense, Category("c"), ["a", None, "b"]) == [
        {"c=a": 1.0},
        {"c=a": 0.0},
        {"c=a": 0.0, "c=b": 1.0},
    ]


def test_ordinal() -> None:
    encode, _ = ENCODINGS["ordinal"]
    column = Category("c")
    assert rows(encode, column, ["b", "a", "b", None]) == [
        {"c": 1.0},
        {"c": 2.0},
        {"c": 1.0},
        {"c": 0.0},
    ]
    row: dict[str, float] = {}
    encode([column], {"c": "never seen"}.get, row, None)
    assert row == {"c": 0.0} and list(column.keys) == ["b", "a"]


def test_the_target_s_mean_never_holds_the_example_s_own_truth() -> None:
    # Given a feature that is another in every event, and a truth of 1
    encode, _ = ENCODINGS["target"]
    column = Category("c")
    row: dict[str, float] = {}
    encode([column], {"c": "a"}.get, row, 1.0)
    # Then the first is encoded as knowing nothing
    assert row == {"c": 0.0}
    # And later ones by the examples before them, drawn to the mean of all
    for truth in (0.0, 0.0):
        encode([column], {"c": "b"}.get, row, truth)
    encode([column], {"c": "a"}.get, row, None)
    prior = 1.0 / 3.0
    assert row["c"] == pytest.approx((1.0 + 20.0 * prior) / 21.0)


def test_without_encoding_categories_are_left_out() -> None:
    assert rows(ENCODINGS["none"][0], Category("c"), ["a", "b"]) == [{}, {}]


def test_later_values_are_one() -> None:
    # Given more values than are told apart
    sparse, _ = ENCODINGS["one_hot"]
    column = Category("c")
    found = rows(sparse, column, [f"value {i}" for i in range(MOST_VALUES + 50)])
    # Then all that come too late are the same
    assert len(column.keys) == MOST_VALUES + 1
    assert found[-1] == found[-50] == {column.keys[OTHER]: 1.0}
    assert found[0] == {"c=value 0": 1.0}


def test_a_long_text_is_no_category() -> None:
    column = Category("c")
    rows(ENCODINGS["one_hot"][0], column, ["x" * 10_000])
    assert list(column.keys) == [OTHER] and len(column.keys[OTHER]) < 10


def test_the_state_holds_all_of_it() -> None:
    encode, _ = ENCODINGS["target"]
    column = Category("c")
    rows(encode, column, ["a", "b", "a", None])
    again = Category.from_state(column.state())
    assert again.state() == column.state()
    assert rows(encode, again, ["a"]) == rows(encode, column, ["a"])
