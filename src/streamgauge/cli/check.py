"""``streamgauge check``: tell whether specs are right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamgauge.cli.failures import CheckFailed
from streamgauge.cli.options import FormatOption
from streamgauge.cli.output import print_data, say

if TYPE_CHECKING:
    from streamgauge.cli.spec_files import SpecFile

#: Most mistakes that are shown of one file; after those, one has to begin anyway.
MOST_SHOWN = 20


def check(
    files: Annotated[list[Path], typer.Argument(help="YAML files, one model each.")],
    output: FormatOption = "table",
) -> None:
    """Check specs without touching anything: line, column, what is wrong, what would be right.

    Exit code 4 where one has a mistake. Needs neither Kafka nor Redis.

    Example: `streamgauge check specs/*.yaml`
    """
    from streamgauge.cli.spec_files import read_specs

    found = read_specs(files)
    if output == "table":
        for each in found:
            if each.spec is not None:
                typer.echo(f"{each.path}: ok (model {each.spec.model})")
    else:
        print_data([_plain(each) for each in found], output=output)
    refuse_mistakes(found)


def refuse_mistakes(files: list[SpecFile]) -> None:
    """Show every mistake on standard error. Raises ``CheckFailed`` where there is one."""
    total = sum(len(each.mistakes) for each in files)
    if not total:
        return
    for each in files:
        for mistake in each.mistakes[:MOST_SHOWN]:
            say(mistake.render())
        if len(each.mistakes) > MOST_SHOWN:
            say(f"{each.path}: and {len(each.mistakes) - MOST_SHOWN} more")
    wrong = sum(bool(each.mistakes) for each in files)
    mistakes = "1 mistake" if total == 1 else f"{total} mistakes"
    raise CheckFailed(f"{mistakes} in {wrong} of the files given", "nothing was changed")


def _plain(file: SpecFile) -> dict[str, object]:
    return {
        "file": str(file.path),
        "ok": file.spec is not None,
        "model": file.spec.model if file.spec else None,
        "mistakes": [
            {"line": m.line, "column": m.column, "message": m.message, "hint": m.hint}
            for m in file.mistakes
        ],
    }
