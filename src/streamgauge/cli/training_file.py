"""From a training file to a reference profile: which columns, under which names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.progress import reading
from streamgauge.cli.tables import Row, read_rows

if TYPE_CHECKING:
    from streamgauge.references import ReferenceProfile


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

    try:
        size = file.stat().st_size
    except OSError as error:
        raise CommandFailed(f"can't read {file}: {error.strerror}") from error
    seen: set[str] = set()
    with reading(file.name, size) as progress:
        rows = named(
            read_rows(file, progress=progress, words={*categorical, *declared}),
            outputs,
            ignored,
            seen,
        )
        try:
            profile = build_profile(
                rows, model=model, step=step, version=version, ordered=ordered, source=file.name
            )
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
