"""From rows to a profile: columns of every kind, and what is said of those that can't be used."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from streamgauge.references import CategoryBins, NumericBins, ReferenceProfile
from streamgauge.references import build as building
from streamgauge.references.build import BLOCKS, build_profile

nan, inf = float("nan"), float("inf")


def column(*values: Any, **options: Any) -> ReferenceProfile:
    """The profile of a file of one column."""
    return build_profile(({"x": value} for value in values), model="m", **options)


def numbers(n: int, *, seed: int = 0) -> list[float]:
    values: list[float] = np.random.default_rng(seed).normal(10, 2, n).tolist()
    return values


def test_numbers() -> None:
    values = numbers(1000)
    profile = column(*values, step="score", version="7", source="train.csv")
    found = profile.targets["x"]
    assert (profile.model, profile.n, profile.step) == ("m", 1000, "score")
    assert (profile.version, profile.source) == ("7", "train.csv")
    assert found.type == "numeric" and isinstance(found.bins, NumericBins)
    assert found.n == 1000 and found.missing_ratio == 0.0
    assert found.mean == pytest.approx(np.mean(values))
    assert found.std == pytest.approx(np.std(values))
    assert found.counts[0] == found.counts[-1] == 0


def test_words() -> None:
    found = column(*["red"] * 60, *["blue"] * 40).targets["x"]
    assert found.type == "categorical"
    assert found.bins == CategoryBins(("red", "blue"))
    assert found.counts.tolist() == [60, 40, 0]
    assert found.mean is None and found.std is None


def test_bools_are_words_as_the_stream_has_them() -> None:
    found = column(*[True] * 30, *[False] * 70).targets["x"]
    assert found.bins == CategoryBins(("false", "true"))
    assert found.counts.tolist() == [70, 30, 0]


def test_bools_and_words_mix() -> None:
    assert column("true", True, "false", "n/a").targets["x"].n == 4


def test_whole_numbers_are_numbers() -> None:
    found = column(1, 2, 3, 2**60, 1.5).targets["x"]
    assert found.type == "numeric" and found.n == 5


@pytest.mark.parametrize("missing", [None, nan, inf, -inf])
def test_missing_values_are_counted_apart(missing: float | None) -> None:
    found = column(1.0, missing, 2.0, missing).targets["x"]
    assert found.missing_ratio == 0.5 and found.n == 2
    assert found.mean == 1.5


def test_a_number_too_large_for_a_double_is_missing() -> None:
    found = column(1.0, 10**400, 3.0, -(10**400)).targets["x"]
    assert found.missing_ratio == 0.5 and found.mean == 2.0


def test_columns_that_come_late_or_go() -> None:
    rows: list[dict[str, Any]] = [{"a": 1.0}, {"a": 2.0, "b": 5.0}, {}, {"b": 6.0}]
    profile = build_profile(rows, model="m")
    assert profile.n == 4
    assert profile.targets["a"].missing_ratio == 0.5
    assert profile.targets["b"].missing_ratio == 0.5
    assert profile.targets["b"].mean == 5.5


def test_columns_without_values_and_free_text_are_left_out() -> None:
    rows = [{"empty": None, "id": f"u{i}", "x": float(i)} for i in range(100)]
    assert sorted(build_profile(rows, model="m").targets) == ["x"]


def test_outputs_get_the_names_that_are_judged() -> None:
    rows = [{"p": 0.5, "class": "a", "x": 1.0}] * 10
    outputs = {"p": "output.score", "class": "output.label"}
    profile = build_profile(rows, model="m", outputs=outputs)
    assert sorted(profile.targets) == ["output.label", "output.score", "x"]


def test_numbers_and_words_in_one_column_name_the_row() -> None:
    with pytest.raises(ValueError, match=r"column 'x' holds numbers and words \(row 3 is a word\)"):
        column(1.0, None, "three", 4.0, "five")
    with pytest.raises(ValueError, match=r"\(row 1 is a word\)"):
        column("one", 2.0)


def test_numbers_and_bools_in_one_column_are_mixed_too() -> None:
    with pytest.raises(ValueError, match=r"row 2 is a word"):
        column(1.0, True)


def test_no_rows() -> None:
    with pytest.raises(ValueError, match="no rows"):
        build_profile([], model="m")


def test_rows_without_columns() -> None:
    profile = build_profile([{}, {}], model="m")
    assert profile.targets == {} and profile.n == 2


@pytest.mark.parametrize("largest", [1e154, 1e200, 1.7976931348623157e308])
def test_huge_values_give_finite_figures(largest: float) -> None:
    found = column(*[largest] * 50, *[-largest] * 49, 0.0).targets["x"]
    assert found.mean is not None and math.isfinite(found.mean)
    assert found.std is not None and math.isfinite(found.std)
    assert found.n == 100


def test_blocks_of_a_file_in_order_of_time() -> None:
    # Given values that grow: a block has only the bins of its own time
    values = [float(i) for i in range(3000)]
    found = column(*values, ordered=True).targets["x"]
    assert found.blocks.shape == (BLOCKS, found.bins.size)
    assert found.blocks.sum(axis=1).tolist() == [100] * BLOCKS
    np.testing.assert_array_equal(found.blocks.sum(axis=0), found.counts)
    assert found.blocks[0, -8:].sum() == 0 and found.blocks[-1, :8].sum() == 0


def test_blocks_of_words() -> None:
    found = column(*["a", "b"] * 500, ordered=True).targets["x"]
    assert found.blocks.shape == (BLOCKS, 3)
    assert found.blocks.sum() == 1000


def test_no_blocks_without_an_order_or_of_too_few_rows() -> None:
    assert column(*numbers(3000)).targets["x"].blocks.shape[0] == 0
    assert column(*numbers(20 * BLOCKS - 1), ordered=True).targets["x"].blocks.shape[0] == 0
    assert column(*numbers(20 * BLOCKS), ordered=True).targets["x"].blocks.shape[0] == BLOCKS


def test_long_files_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MOST_ROWS", 100)
    profile = column(*[float(i) for i in range(250)])
    # Every third row is kept, the whole length is told.
    assert profile.n == 250 and profile.targets["x"].n == 84
    assert profile.targets["x"].mean == pytest.approx(124.5)


def test_the_row_that_is_named_is_one_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MOST_ROWS", 10)
    values: list[Any] = [1.0] * 30
    values[6] = "seven"
    with pytest.raises(ValueError, match=r"row 7 is a word"):
        column(*values)


def test_rows_are_read_once() -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from ({"x": value} for value in numbers(500))

    assert build_profile(rows(), model="m").n == 500


def test_the_same_file_is_the_same_profile() -> None:
    assert column(*numbers(500), ordered=True).id == column(*numbers(500), ordered=True).id
    assert column(*numbers(500)).id != column(*numbers(500, seed=1)).id


def test_a_built_profile_survives_its_bytes() -> None:
    rows = [{"x": value, "c": "ab"[i % 2]} for i, value in enumerate(numbers(900))]
    profile = build_profile(rows, model="m", ordered=True)
    again = ReferenceProfile.from_bytes(profile.to_bytes())
    assert again.id == profile.id
    assert again.summary() == profile.summary()
