"""Training files: CSV with inferred types, JSON Lines of rows and of events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.tables import read_rows


def rows(
    tmp_path: Path, text: str | bytes, name: str = "t.csv", words: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_rows(path, words=words))


def test_types_are_found_per_column(tmp_path: Path) -> None:
    text = "n,word,flag,mixed,empty\n1,a,true,1,\n2.5e3,,False,x,\n,NA,TRUE,2,\n"
    assert rows(tmp_path, text) == [
        {"n": 1.0, "word": "a", "flag": True, "mixed": "1", "empty": None},
        {"n": 2500.0, "word": None, "flag": False, "mixed": "x", "empty": None},
        {"n": None, "word": "NA", "flag": True, "mixed": "2", "empty": None},
    ]


@pytest.mark.parametrize("missing", ["", "NA", "nan", "NaN", "null", "None", "n/a", " "])
def test_missing_numbers_have_many_names(tmp_path: Path, missing: str) -> None:
    found = rows(tmp_path, f"x,y\n1,a\n{missing},b\n")
    assert [row["x"] for row in found] == [1.0, None]


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_what_is_not_finite_is_missing_as_in_the_stream(tmp_path: Path, value: str) -> None:
    # One such value must not make a million numbers words.
    assert rows(tmp_path, f"x,y\n1,a\n{value},b\n")[1]["x"] is None


@pytest.mark.parametrize(
    "text",
    ["a;b\n1;2\n", "a\tb\n1\t2\n", "a|b\n1|2\n", "\ufeffa,b\r\n1,2\r\n", 'a,b\n"1","2"\n\n'],
    ids=["semicolon", "tab", "bar", "windows", "quoted"],
)
def test_dialects(tmp_path: Path, text: str) -> None:
    assert rows(tmp_path, text) == [{"a": 1.0, "b": 2.0}]


def test_quoted_fields_may_hold_anything(tmp_path: Path) -> None:
    assert rows(tmp_path, 'a,b\n"x,\n""y""",2\n') == [{"a": 'x,\n"y"', "b": 2.0}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t.csv is empty"),
        ("a,b\n1,2\n1,2,3\n", "t.csv:3: found 3 fields, expected 2"),
        ('a,b\n"x\ny",1\n1\n', "t.csv:4: found 1 fields"),
        ("a,a\n1,2\n", "t.csv:1: column 'a' stands there twice"),
        ("a,,c\n1,2,3\n", "t.csv:1: column 2 has no name"),
        ("1,2\n3,4\n", "t.csv:1: the first line holds numbers"),
        (b"a,b\n1,2\n1,\xff\n", "t.csv:3: not UTF-8"),
        ('a,b\n1,2\n1,"x\n', "t.csv:3: unexpected end of data"),
    ],
    ids=["empty", "wide", "narrow", "twice", "unnamed", "headless", "latin1", "open quote"],
)
def test_wrong_csv_is_told_with_its_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        rows(tmp_path, text)
    assert words in caught.value.line()


def test_numbers_may_be_categories(tmp_path: Path) -> None:
    found = rows(tmp_path, "zip,x\n3.0,1\n007,2\n,3\n1234567,4\n1e3,5\n", words=("zip", "none"))
    assert [row["zip"] for row in found] == ["3", "007", None, "1234567", "1e3"]
    text = '{"zip": 3.0}\n{"zip": true}\n{"zip": null}\n{"zip": "007"}\n'
    found = rows(tmp_path, text, "t.jsonl", words=("zip",))
    assert [row["zip"] for row in found] == ["3", "true", None, "007"]


def test_flat_json_lines(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "x", "v": [1, 2]}\n\n{"a": null, "c": true}\n'
    assert rows(tmp_path, text, "t.jsonl") == [{"a": 1, "b": "x"}, {"a": None, "c": True}]


def test_events_become_features_and_outputs(tmp_path: Path) -> None:
    text = (
        '{"prediction_id": "1", "features": {"x": 1}, "output": 0.5}\n'
        '{"prediction_id": "2", "features": {"x": 2}, "output": "yes"}\n'
        '{"prediction_id": "3", "features": {"x": 3}, "output": {"label": "no", "score": 0.1}}\n'
        '{"prediction_id": "4", "features": {}, "output": null}\n'
    )
    assert rows(tmp_path, text, "t.ndjson") == [
        {"x": 1, "output.score": 0.5},
        {"x": 2, "output.label": "yes"},
        {"x": 3, "output.label": "no", "output.score": 0.1},
        {},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1}\n[1]\n', "t.jsonl:2: not an object"),
        ('{"a": 1}\n{"a": NaN}\n', "t.jsonl:2: not JSON"),
        ('{"a": {"b": 1}}\n', "t.jsonl:1: column 'a' holds an object"),
        ("[" * 100_000, "t.jsonl:1: not JSON"),
    ],
    ids=["list", "nan", "nested", "deep"],
)
def test_wrong_json_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        rows(tmp_path, text, "t.jsonl")
    assert words in caught.value.line()


def test_other_files_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"\.parquet are not read"):
        rows(tmp_path, "", "t.parquet")
    with pytest.raises(CommandFailed, match="can't read"):
        list(read_rows(tmp_path / "none.csv"))


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 5000)
    told: list[int] = []
    assert sum(1 for _ in read_rows(path, progress=told.append)) == 5000
    assert told == sorted(told) and len(told) > 3 and told[-1] == path.stat().st_size
