"""Printing: tables for people, JSON and YAML for programs; data on standard output alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from streamgauge.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console


def printable(text: object) -> str:
    r"""Text that a terminal does not obey: names in events are written by strangers.

    >>> printable("a\x1b[2Jb")
    'a·[2Jb'
    """
    return "".join(char if char.isprintable() else "·" for char in str(text))


def show_time(seconds: float | None) -> str:
    """A time of day in UTC, with the date."""
    if seconds is None:
        return "-"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} s"


def show_number(value: float | None) -> str:
    """A number in at most five digits."""
    return "-" if value is None else f"{value:.5g}"


def console() -> Console:
    """The terminal, or a file: then lines are never wrapped, so that grep finds them."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        width=None if terminal else 4096, highlight=False, markup=False, emoji=False, soft_wrap=True
    )


def print_rows(
    rows: Sequence[Mapping[str, object]], *, columns: Sequence[str], output: Format = "table"
) -> None:
    """Print a list of things. ``columns`` are those of the table; programs get all keys."""
    if output != "table":
        print_data(list(rows), output=output)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = (row.get(column) for column in columns)
        table.add_row(*(Text(_cell(cell)) for cell in cells))
    # Rich fills the last column with spaces; nobody wants to copy those.
    pen = console()
    with pen.capture() as captured:
        pen.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_data(data: Any, *, output: Format) -> None:
    """Print plain data as JSON or YAML."""
    if output == "yaml":
        import yaml

        typer.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
        return
    import orjson

    typer.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def say(text: str) -> None:
    """Tell people something that is not data."""
    typer.echo(text, err=True)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return show_number(value)
    return printable(value)
