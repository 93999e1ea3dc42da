"""Rows of a JSON Lines file: flat objects, or prediction events."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from streamgauge.cli.numbered_lines import Progress, numbered_lines, wrong_line

Row = dict[str, Any]


def json_rows(path: Path, progress: Progress, words: Collection[str]) -> Iterator[Row]:
    """The rows; ``words`` are columns whose numbers are categories."""
    import orjson

    from streamgauge.specs.scalars import parse_category

    for number, text in numbered_lines(path, progress):
        if not text.strip():
            continue
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise wrong_line(
                path, number, f"not JSON ({error.msg})", "one object on each line"
            ) from None
        if not isinstance(document, dict):
            raise wrong_line(path, number, "not an object", "one object on each line")
        try:
            row = _event_row(document) if _is_event(document) else _flat_row(document)
        except ValueError as error:
            hint = "rows are flat, events have `features`"
            raise wrong_line(path, number, str(error), hint) from None
        for name in words:
            if row.get(name) is not None:
                row[name] = parse_category(row[name])
        yield row


def _is_event(document: Row) -> bool:
    return isinstance(document.get("features"), dict)


def _flat_row(document: Row) -> Row:
    row: Row = {}
    for name, value in document.items():
        if isinstance(value, dict):
            raise ValueError(f"column {name!r} holds an object")
        # Vectors have no histogram; they are left out here as they are in the stream.
        if not isinstance(value, list):
            row[name] = value
    return row


def _event_row(document: Row) -> Row:
    """Features and output of a prediction event, under the names that the monitor judges."""
    row = _flat_row(document["features"])
    output = document.get("output")
    if isinstance(output, dict):
        row["output.label"], row["output.score"] = output.get("label"), output.get("score")
    elif isinstance(output, str | bool):
        row["output.label"] = output
    elif isinstance(output, int | float):
        row["output.score"] = output
    return row
