"""From a training file to a reference profile: which columns, under which names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.parquet_rows import ParquetTable, is_parquet
from streamgauge.cli.progress import reading
from streamgauge.cli.tables import Row, read_rows

if TYPE_CHECKING:
    from streamgauge.references import ReferenceProfile, TargetReference


def profile_of(
    file: Path,
    *,
    model: str,
    outputs: Sequence[str],
    ignored: Sequence[str],
    categorical: Sequence[str] = (),
    declared: Collection[str] = (),
    step: str = "",
    version: str | None = None,
    ordered: bool = False,
) -> tuple[ReferenceProfile, list[str]]:
    """Build the profile of a file, and name the columns that are not in it.

    ``outputs`` are columns of the model's output. The numbers of ``categorical`` columns are
    categories, and so are those of ``declared`` ones, which need not be there. A column without
    values, or of words that hardly repeat (text, ids), has no histogram.

    Raises ``CommandFailed`` with file and line, or with the columns that there are.
    """
    from streamgauge.references.build import build_profile

    build = partial(
        build_profile, model=model, step=step, version=version, ordered=ordered, source=file.name
    )
    words = {*categorical, *declared}
    try:
        size = file.stat().st_size
        if is_parquet(file):
            profile, seen = _from_parquet(file, build, outputs, ignored, words)
        else:
            seen = set()
            with reading(file.name, size) as progress:
                rows = read_rows(file, progress=progress, words=words)
                profile = build(named(rows, outputs, ignored, seen))
    except OSError as error:
        raise CommandFailed(f"can't read {file}: {error.strerror}") from error
    except ValueError as error:
        raise CommandFailed(f"{file}: {error}") from error
    for column in (*outputs, *ignored, *categorical):
        if column not in seen:
            known = ", ".join(sorted(seen)[:20])
            raise CommandFailed(f"{file} has no column {column!r}", f"it has: {known}")
    if not profile.targets:
        raise CommandFailed(
            f"{file} has no column that could be compared",
            "columns need values, and words must repeat",
        )
    expected = seen - {*outputs, *ignored}
    return profile, sorted(expected - profile.targets.keys())


def _from_parquet(
    file: Path,
    build: Callable[..., ReferenceProfile],
    outputs: Sequence[str],
    ignored: Sequence[str],
    words: Collection[str],
) -> tuple[ReferenceProfile, set[str]]:
    """The profile, made of a few columns at a time, and the columns that the file has."""
    from streamgauge.references.build import MOST_ROWS

    table = ParquetTable.open(file, ignored=ignored)
    groups = table.groups(outputs)
    targets: dict[str, TargetReference] = {}
    with reading(file.name, table.size) as progress:
        for place, group in enumerate(groups):

            def told(rows: int, place: int = place) -> None:
                share = (place + rows / max(table.n, 1)) / len(groups)
                progress(int(table.size * share))

            rows = table.rows(group, most=MOST_ROWS, words=words, progress=told)
            part = build(named(rows, outputs, (), set()), of=table.n)
            targets |= part.targets
    whole = build([{}], of=table.n) if not groups else part
    return replace(whole, targets=targets), set(table.names)


def named(
    rows: Iterable[Row], outputs: Sequence[str], ignored: Sequence[str], seen: set[str]
) -> Iterator[Row]:
    """Rows under the names that the monitor judges; ``seen`` learns the file's own.

    An output column is a score where it holds numbers and a label where it holds words.
    """
    for row in rows:
        seen.update(row)
        for column in ignored:
            row.pop(column, None)
        for column in outputs:
            value: Any = row.pop(column, None)
            if value is not None:
                row["output.label" if isinstance(value, str | bool) else "output.score"] = value
        yield row
