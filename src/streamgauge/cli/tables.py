"""Reading training data as lines of text: CSV or JSON Lines, by the file's suffix."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from streamgauge.cli.csv_rows import csv_rows
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.json_rows import json_rows
from streamgauge.cli.numbered_lines import Progress

Row = dict[str, Any]


def read_rows(
    path: Path, *, progress: Progress = lambda done: None, words: Collection[str] = ()
) -> Iterator[Row]:
    """The rows of a ``.csv``, ``.tsv``, ``.jsonl`` or ``.ndjson`` file, column → value.

    Values are floats, booleans, words, or None for what is missing. ``words`` are columns whose
    numbers are categories. Raises ``CommandFailed`` with
    file and line.
    """
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return json_rows(path, progress, words)
    if suffix in (".csv", ".tsv", ".txt"):
        return csv_rows(path, progress, words)
    raise CommandFailed(
        f"{path}: files of the kind {suffix or 'without a suffix'} are not read",
        "give a .csv, a .jsonl, a .parquet, or a directory of .parquet files",
    )
