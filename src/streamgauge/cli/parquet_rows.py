"""Rows of Parquet files, a few columns at a time, so that memory stays small however many rows."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.numbered_lines import Progress
from streamgauge.specs.scalars import parse_category

Row = dict[str, Any]

_SUFFIXES = (".parquet", ".pq")
#: Columns that are read together. Of these alone the sample's values are held at a time.
_TOGETHER = 32
#: Rows that are decoded together.
_BATCH = 16_384
_BUFFER_BYTES = 1024 * 1024
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,15})")
#: What pandas calls an index without a name: a number of the row, and no feature.
_INDEX = "__index_level_"


def is_parquet(path: Path) -> bool:
    """Whether the path is a Parquet file by its suffix, or a directory (of such files)."""
    return path.is_dir() or path.suffix.lower() in _SUFFIXES


@dataclass(frozen=True)
class ParquetTable:
    """One file, or all of a directory in the order of their names, as one table.

    ``names`` are the columns of the file; ``columns`` those that are read. ``n`` is the number of
    rows, ``size`` that of bytes.
    """

    path: Path
    names: tuple[str, ...]
    columns: tuple[str, ...]
    n: int
    size: int
    _files: tuple[tuple[Path, Row], ...]

    @classmethod
    def open(cls, path: Path, *, ignored: Collection[str]) -> ParquetTable:
        """Read the footers only. Directories called ``key=value`` are columns, as Hive has them.

        Raises ``CommandFailed`` where pyarrow is missing, a file is none, or columns that are not
        ignored can't be compared.
        """
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            raise CommandFailed(
                f"{path}: Parquet is read by pyarrow, which is not installed",
                "pip install 'streamgauge[parquet]'",
            ) from None
        files, n, schemas = _files(path), 0, []
        for file in files:
            try:
                with parquet.ParquetFile(file) as opened:
                    schemas.append(opened.schema_arrow)
                    n += opened.metadata.num_rows
            except (pa.ArrowException, OSError) as error:
                _unreadable(file, error)
            _same_columns(files[0], schemas[0], file, schemas[-1])
            _refuse_what_has_no_histogram(file, schemas[-1], ignored)
        keys = _keys(path, files)
        names = [*schemas[0].names, *(key for key in keys[0] if key not in schemas[0].names)]
        columns = [name for name in names if name not in ignored and not name.startswith(_INDEX)]
        size = sum(file.stat().st_size for file in files)
        together = tuple(zip(files, keys, strict=True))
        return cls(path, tuple(names), tuple(columns), n, size, together)

    def groups(self, first: Sequence[str]) -> list[list[str]]:
        """The columns in groups that are read together; those of ``first`` are in the first."""
        ordered = sorted(self.columns, key=lambda name: name not in first)
        return [ordered[i : i + _TOGETHER] for i in range(0, len(ordered), _TOGETHER)]

    def rows(
        self, columns: Sequence[str], *, most: int, words: Collection[str], progress: Progress
    ) -> Iterator[Row]:
        """Every k-th row, so that there are at most ``most``; other columns are not read.

        ``words`` are columns whose numbers are categories. ``progress`` is told the rows read.
        """
        import pyarrow as pa
        from pyarrow import parquet

        every = max(math.ceil(self.n / most), 1)
        done = 0
        for path, keys in self._files:
            constant = {name: keys[name] for name in columns if name in keys}
            inside = [name for name in columns if name not in keys]
            try:
                # Without these two, all that is asked of the whole file is held at once (measured:
                # 400 MB instead of 40 of a file of 12 columns and 4 million rows).
                with parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
                    for batch in file.iter_batches(_BATCH, columns=inside, use_threads=False):
                        chosen = pa.array(range(-done % every, len(batch), every), pa.int64())
                        # The columns come in the file's order, whatever was asked.
                        names = batch.schema.names
                        values = [_plain(column, chosen) for column in batch.columns]
                        for i in range(len(chosen)):
                            row = {name: v[i] for name, v in zip(names, values, strict=True)}
                            yield _with_words(constant | row, words)
                        done += len(batch)
                        progress(done)
            except (pa.ArrowException, OSError) as error:
                _unreadable(path, error)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        # What writers leave behind while they write, and what they note for themselves.
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    )
    if not found:
        raise CommandFailed(f"{path} has no .parquet files", "give a file, or their directory")
    return found


def _kind(type: Any) -> str:
    """``number``, ``boolean``, ``word`` or ``empty``; nothing for a type without a histogram."""
    from pyarrow import types

    if types.is_dictionary(type):
        type = type.value_type
    if types.is_boolean(type):
        return "boolean"
    if types.is_integer(type) or types.is_floating(type) or types.is_decimal(type):
        return "number"
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return "word"
    return "empty" if types.is_null(type) else ""


def _same_columns(first: Path, expected: Any, file: Path, schema: Any) -> None:
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise CommandFailed(f"{file}: column {twice[0]!r} stands there twice", "rename one")
    for one, names, other in (
        (file, set(expected.names) - set(schema.names), first),
        (first, set(schema.names) - set(expected.names), file),
    ):
        if names:
            raise CommandFailed(
                f"{one} has no column {min(names)!r}, and {other.name} has",
                "the files of a directory must have the same columns",
            )
    for name in schema.names:
        kinds = {_kind(each.field(name).type) for each in (expected, schema)} - {"empty"}
        if len(kinds) > 1:
            types = [each.field(name).type for each in (schema, expected)]
            raise CommandFailed(
                f"{file}: column {name!r} holds {types[0]}, and {types[1]} in {first.name}",
                "the files of a directory must have the same columns",
            )


def _keys(path: Path, files: Sequence[Path]) -> list[Row]:
    """What the directories' names say of each file: numbers where all of them are."""
    found = []
    for file in files:
        parts = file.relative_to(path).parts[:-1] if path.is_dir() else ()
        found.append({unquote(k): unquote(v) for k, e, v in (p.partition("=") for p in parts) if e})
    for file, keys in zip(files, found, strict=True):
        if keys.keys() != found[0].keys():
            raise CommandFailed(
                f"{file} lies in directories of other keys than {files[0].name}",
                "the files of a directory must have the same columns",
            )
    made: list[Row] = [{} for _ in files]
    for name in found[0]:
        values = [None if keys[name] == _HIVE_NULL else keys[name] for keys in found]
        whole = all(_WHOLE.fullmatch(value) for value in values if value is not None)
        for row, value in zip(made, values, strict=True):
            row[name] = int(value) if whole and value is not None else value
    return made


def _refuse_what_has_no_histogram(path: Path, schema: Any, ignored: Collection[str]) -> None:
    odd = [each for each in schema if not _kind(each.type) and each.name not in ignored]
    if not odd:
        return
    listed = ", ".join(f"{each.name!r} ({each.type})" for each in odd[:10])
    more = f" and {len(odd) - 10} more" if len(odd) > 10 else ""
    options = " ".join(f"--ignore {each.name}" for each in odd)
    raise CommandFailed(
        f"{path} has columns that are neither numbers nor words: {listed}{more}",
        f"leave them out ({options}), or put into the file what the stream's events have of them",
    )


def _plain(column: Any, chosen: Any) -> list[Any]:
    """The chosen values as rows have them: floats, whole numbers, booleans, words, None."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_string_view(column.type):
        # Arrow can't choose among these.
        column = column.cast(pa.string())
    column = column.take(chosen)
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_decimal(column.type) or types.is_float16(column.type):
        column = column.cast(pa.float64())
    values: list[Any] = column.to_pylist()
    return values


def _with_words(row: Row, words: Collection[str]) -> Row:
    for name in words:
        value = row.get(name)
        if value is not None:
            # A missing whole number is a NaN in many files.
            row[name] = parse_category(value) if value == value else None
    return row


def _unreadable(path: Path, error: Exception) -> NoReturn:
    text = " ".join(str(error).split()).rstrip(".")
    raise CommandFailed(
        f"can't read {path}: {text[:300]}", "is it a whole Parquet file, and readable for you?"
    ) from error
