"""Rows of a CSV file, with the type of each column found in the whole file.

The file is read twice and never held: once for the types, once for the rows.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.numbered_lines import Progress, numbered_lines, wrong_line

Kind = Literal["number", "boolean", "word"]

#: Mean "missing" in a column of numbers; in a column of words they may be words (NA is Namibia).
_MISSING = frozenset({"nan", "na", "n/a", "null", "none", "-", "?"})
_BOOLEANS = frozenset({"true", "false"})
_DELIMITERS = ",;\t|"
_NUMERAL = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,15})?")


def csv_rows(path: Path, progress: Progress, words: Collection[str]) -> Iterator[dict[str, Any]]:
    """The rows; ``words`` are columns whose numbers are categories."""
    header, kinds = _columns(path)
    convert = [
        _category if name in words else _converter(kind)
        for name, kind in zip(header, kinds, strict=True)
    ]
    for cells in _records(path, progress, skip_header=True, header=header):
        yield {
            name: made(cell.strip())
            for name, made, cell in zip(header, convert, cells, strict=True)
        }


def _columns(path: Path) -> tuple[list[str], list[Kind]]:
    header: list[str] | None = None
    numbers: list[bool] = []
    booleans: list[bool] = []
    seen: list[bool] = []
    for cells in _records(path, lambda done: None):
        if header is None:
            header = [cell.strip() for cell in cells]
            _check_header(path, header)
            numbers, booleans = [True] * len(header), [True] * len(header)
            seen = [False] * len(header)
            continue
        for i, cell in enumerate(cells):
            if not (numbers[i] or booleans[i]):
                continue
            word = cell.strip()
            if not word or (word.lower() in _MISSING):
                continue
            seen[i] = True
            booleans[i] = booleans[i] and word.lower() in _BOOLEANS
            numbers[i] = numbers[i] and _is_number(word)
    if header is None:
        raise CommandFailed(f"{path} is empty", "its first line names the columns")
    kinds: list[Kind] = []
    for i in range(len(header)):
        if seen[i] and booleans[i]:
            kinds.append("boolean")
        else:
            kinds.append("number" if seen[i] and numbers[i] else "word")
    return header, kinds


def _records(
    path: Path,
    progress: Progress,
    *,
    skip_header: bool = False,
    header: Sequence[str] | None = None,
) -> Iterator[list[str]]:
    lines = numbered_lines(path, progress)
    first = next(lines, None)
    if first is None:
        return
    delimiter = max(_DELIMITERS, key=first[1].count)
    at = [first[0]]

    def texts() -> Iterable[str]:
        yield first[1]
        for number, text in lines:
            at[0] = number
            yield text

    width = len(header) if header else None
    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    while True:
        # The line on which a record begins is what people look for.
        begin = at[0] + (1 if width is not None or reader.line_num else 0)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise wrong_line(path, begin, str(error), "quote fields as CSV does") from None
        if not cells:
            continue
        if width is None:
            width = len(cells)
        elif len(cells) != width:
            message = f"found {len(cells)} fields, expected {width} as in the first line"
            raise wrong_line(path, begin, message, f"fields are parted by {delimiter!r}")
        if skip_header:
            skip_header = False
            continue
        yield cells


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise wrong_line(path, 1, f"column {twice[0]!r} stands there twice", "rename one")
    if "" in header:
        place = header.index("") + 1
        raise wrong_line(path, 1, f"column {place} has no name", "the first line names the columns")
    if all(_is_number(name) for name in header):
        raise wrong_line(path, 1, "the first line holds numbers", "put the columns' names there")


def _converter(kind: Kind) -> Callable[[str], Any]:
    if kind == "number":
        return _number
    if kind == "boolean":
        return lambda word: word.lower() == "true" if word.lower() in _BOOLEANS else None
    return lambda word: word or None


def _category(word: str) -> str | None:
    """A category as the stream names it: 3.0 is 3 there, 007 is not a number."""
    if _NUMERAL.fullmatch(word):
        from streamgauge.specs.scalars import parse_category

        return parse_category(float(word))
    return word or None


def _is_number(word: str) -> bool:
    # Python reads 1_000 as a number; files mean something else by it.
    if "_" in word:
        return False
    try:
        float(word)
    except ValueError:
        return False
    return True


def _number(word: str) -> float | None:
    """The number; what is not finite is missing, as it is in the stream."""
    if not word or not _is_number(word):
        return None
    value = float(word)
    return value if math.isfinite(value) else None
