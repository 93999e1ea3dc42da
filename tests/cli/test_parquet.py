"""Training data in Parquet: the same profile as from CSV, in little memory, and clear refusals."""

from __future__ import annotations

import datetime
import decimal
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import Result

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.parquet_rows import ParquetTable
from streamgauge.cli.training_file import profile_of
from streamgauge.references import ReferenceProfile

Run = Callable[..., Result]


def columns(n: int = 600, *, seed: int = 7) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    amounts = np.round(rng.lognormal(3, 1, n), 3).tolist()
    return {
        "amount": [None if i % 20 == 0 else each for i, each in enumerate(amounts)],
        "country": rng.choice(["SE", "NO", "DK"], n).tolist(),
        "grade": rng.integers(0, 4, n).tolist(),
        "new": (rng.random(n) < 0.3).tolist(),
        "score": np.round(rng.random(n), 3).tolist(),
        "decision": rng.choice(["yes", "no"], n).tolist(),
    }


def write(path: Path, table: dict[str, Any] | pa.Table, **options: Any) -> Path:
    made = table if isinstance(table, pa.Table) else pa.table(table)
    parquet.write_table(made, path, **options)
    return path


def profile(path: Path, **options: Any) -> ReferenceProfile:
    return profile_of(path, **({"model": "m", "outputs": [], "ignored": []} | options))[0]


def same_targets(one: ReferenceProfile, other: ReferenceProfile) -> bool:
    return {n: t.plain() for n, t in one.targets.items()} == {
        n: t.plain() for n, t in other.targets.items()
    }


def test_the_same_rows_give_the_same_profile_as_csv(tmp_path: Path) -> None:
    data = columns()
    lines = [",".join(data)]
    for row in zip(*data.values(), strict=True):
        lines.append(",".join("" if each is None else str(each) for each in row))
    csv = tmp_path / "train.csv"
    csv.write_text("\n".join(lines) + "\n")
    options: dict[str, Any] = {
        "outputs": ["score", "decision"],
        "categorical": ["grade"],
        "ordered": True,
    }
    expected = profile(csv, **options)
    found = profile(write(tmp_path / "train.parquet", data, row_group_size=70), **options)
    assert same_targets(found, expected)
    assert found.n == 600 and found.source == "train.parquet"
    assert set(found.targets) == {
        *("amount", "country", "grade", "new", "output.score", "output.label")
    }


def test_every_kind_of_number_and_word(tmp_path: Path) -> None:
    n = 300
    numbers = np.arange(n) % 100
    table = pa.table(
        {
            **{t: pa.array(numbers.astype(t)) for t in ("int8", "uint64", "float32", "float16")},
            "decimal": pa.array([decimal.Decimal(int(v)) / 4 for v in numbers]),
            "nan": pa.array(np.where(numbers % 2, np.nan, numbers)),
            "dictionary": pa.array(["a", "b", None] * 100).dictionary_encode(),
            "large": pa.array(["a", "b"] * 150, pa.large_string()),
            "view": pa.array(["a", "b"] * 150, pa.string_view()),
            "category": pa.array(numbers % 3).dictionary_encode(),
            "boolean": pa.array([True, False] * 150),
            "nothing": pa.nulls(n),
        }
    )
    path = write(tmp_path / "t.parquet", table)
    found, left_out = profile_of(path, model="m", outputs=[], ignored=[], categorical=["int8"])
    assert left_out == ["nothing"]
    types = {name: target.type for name, target in found.targets.items()}
    numeric = {name for name, type in types.items() if type == "numeric"}
    assert numeric == {"uint64", "float32", "float16", "decimal", "nan", "category"}
    assert found.targets["decimal"].mean == pytest.approx(49.5 / 4)
    assert found.targets["nan"].missing_ratio == 0.5
    assert found.targets["dictionary"].missing_ratio == pytest.approx(1 / 3)


def test_long_files_are_thinned_as_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a limit that 1,000 rows are beyond, and batches that do not fit it
    monkeypatch.setattr("streamgauge.references.build.MOST_ROWS", 300)
    monkeypatch.setattr("streamgauge.cli.parquet_rows._BATCH", 37)
    monkeypatch.setattr("streamgauge.cli.parquet_rows._TOGETHER", 2)
    data = columns(1000)
    path = tmp_path / "t.jsonl"
    rows = [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    # Then every fourth row is taken, the same ones, and the number of rows is the file's
    expected = profile(path, outputs=["score"])
    found = profile(write(tmp_path / "t.parquet", data, row_group_size=101), outputs=["score"])
    assert same_targets(found, expected)
    assert found.n == expected.n == 1000
    assert found.targets["output.score"].n == 250


def test_columns_left_out_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    real = parquet.ParquetFile.iter_batches

    def spy(self: Any, *args: Any, columns: list[str], **options: Any) -> Any:
        asked.append(columns)
        return real(self, *args, columns=columns, **options)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", spy)
    monkeypatch.setattr("streamgauge.cli.parquet_rows._TOGETHER", 2)
    path = write(tmp_path / "t.parquet", columns())
    found = profile(path, outputs=["score", "decision"], ignored=["country", "new"])
    assert asked == [["score", "decision"], ["amount", "grade"]]
    assert set(found.targets) == {"output.score", "output.label", "amount", "grade"}


def test_pandas_own_index_is_no_feature(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(columns()).drop(index=[3])
    frame.index = pd.Index(np.arange(599) * 2)
    frame.to_parquet(tmp_path / "t.parquet")
    found, left_out = profile_of(tmp_path / "t.parquet", model="m", outputs=[], ignored=[])
    assert "__index_level_0__" in left_out and "__index_level_0__" not in found.targets


def test_a_directory_is_one_table(tmp_path: Path) -> None:
    data = columns(1000)
    whole = write(tmp_path / "whole.parquet", data)
    parts = tmp_path / "parts"
    parts.mkdir()
    table = pa.table(data)
    write(parts / "part-0.parquet", table.slice(0, 300))
    write(parts / "part-1.parquet", table.slice(300))
    # What a writer notes for itself, or has not finished, is no data
    (parts / "_SUCCESS").write_text("")
    (parts / ".part-2.parquet").write_text("half")
    (parts / "_temporary").mkdir()
    (parts / "_temporary" / "part-3.parquet").write_text("half")
    found = profile(parts, ordered=True)
    assert same_targets(found, profile(whole, ordered=True)) and found.n == 1000


def test_directories_called_key_and_value_are_columns(tmp_path: Path) -> None:
    for country in ("SE", "N%2FO"):
        for year in (2023, 2024):
            place = tmp_path / f"country={country}" / f"year={year}"
            place.mkdir(parents=True)
            write(place / "p.parquet", {"x": np.arange(100.0)})
    found = profile(tmp_path)
    assert found.n == 400 and set(found.targets) == {"x", "country", "year"}
    assert found.targets["country"].bins.labels[:2] == ["N/O", "SE"]
    assert found.targets["year"].type == "numeric"
    assert set(profile(tmp_path, ignored=["x", "year"]).targets) == {"country"}


def test_a_column_that_is_empty_in_one_file_has_the_type_of_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"x": pa.nulls(50)})
    write(tmp_path / "b.parquet", {"x": np.arange(50)})
    write(tmp_path / "c.parquet", {"x": np.arange(50.0)})
    target = profile(tmp_path).targets["x"]
    assert (target.type, target.n) == ("numeric", 100)
    assert target.missing_ratio == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"x": [1.0]}, "b.parquet has no column 'y', and a.parquet has"),
        ({"x": [1.0], "y": [1], "z": [2]}, "a.parquet has no column 'z', and b.parquet has"),
        ({"x": ["word"], "y": [1]}, "b.parquet: column 'x' holds string, and double in a.parquet"),
    ],
)
def test_files_that_do_not_belong_together(
    tmp_path: Path, second: dict[str, Any], words: str
) -> None:
    write(tmp_path / "a.parquet", {"x": [1.0], "y": [1]})
    write(tmp_path / "b.parquet", second)
    with pytest.raises(CommandFailed, match=words):
        profile(tmp_path)


def test_what_has_no_histogram_is_named_with_what_to_do(
    run: Run, redis_url: str, tmp_path: Path
) -> None:
    odd: dict[str, Any] = {
        "when": [datetime.datetime(2024, 1, 1)] * 100,
        "tags": [["a"]] * 100,
        "where": [{"x": 1.0}] * 100,
        "raw": [b"\x00"] * 100,
    }
    path = write(tmp_path / "t.parquet", {"x": np.arange(100.0), **odd})
    result = run("--redis", redis_url, "reference", "build", "m", path)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "'when' (timestamp[us]), 'tags' (list<" in result.stderr
    advice = "--ignore when --ignore tags --ignore where --ignore raw"
    assert f"leave them out ({advice})" in result.stderr
    again = run("--redis", redis_url, "reference", "build", "m", path, *advice.split())
    assert again.exit_code == 0 and "100 rows, stored" in again.stderr


def test_slips(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and then nothing")
    (tmp_path / "empty").mkdir()
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    for path, options, words in [
        (broken, {}, "can't read .*broken.parquet: .*; is it a whole Parquet file"),
        (tmp_path / "none.parquet", {}, "can't read .*none.parquet: No such file"),
        (tmp_path / "empty", {}, "empty has no .parquet files"),
        (write(tmp_path / "twice.parquet", twice), {}, "column 'a' stands there twice"),
        (write(tmp_path / "rows.parquet", {"a": pa.array([], pa.int64())}), {}, "no rows"),
        (write(tmp_path / "t.parquet", {"a": [1]}), {"ignored": ["a"]}, "no column that could be"),
        (tmp_path / "t.parquet", {"ignored": ["b"]}, "has no column 'b'.*it has: a"),
    ]:
        with pytest.raises(CommandFailed) as caught:
            profile(path, **options)
        assert re.search(words, caught.value.line()), caught.value.line()


def test_a_file_that_breaks_off_in_the_middle(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"x": np.random.default_rng(0).normal(size=50_000)})
    data = bytearray(path.read_bytes())
    data[1000:200_000] = b"\xff" * 199_000
    path.write_bytes(data)
    with pytest.raises(CommandFailed, match="can't read .*t.parquet"):
        profile(path)


def test_without_pyarrow_one_line_says_what_to_install(
    run: Run, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t.parquet", {"x": [1.0]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("--redis", redis_url, "reference", "build", "m", path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {path}: Parquet is read by pyarrow, which is not installed;"
        " pip install 'streamgauge[parquet]'\n"
    )


def test_memory_follows_the_sample_and_not_the_file(tmp_path: Path) -> None:
    # A million rows in one row group: 8 MB a column, of which a batch's pages are held.
    rng = np.random.default_rng(1)
    table = pa.table({f"x{i}": rng.normal(size=1_000_000) for i in range(8)})
    path = write(tmp_path / "t.parquet", table, row_group_size=1_000_000, use_dictionary=False)
    del table
    before = pa.total_allocated_bytes()
    most = 0
    opened = ParquetTable.open(path, ignored=())

    def told(rows: int) -> None:
        nonlocal most
        most = max(most, pa.total_allocated_bytes() - before)

    taken = sum(1 for _ in opened.rows(opened.columns, most=1000, words=(), progress=told))
    assert taken == 1000
    assert 0 < most < 24 * 1024 * 1024, "the file has 64 MB"
