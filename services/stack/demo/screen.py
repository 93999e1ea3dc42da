"""What a person sees of the demo: a live table on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from services.stack.demo.figures import Row

#: Seconds between two lines where no terminal is attached.
LINE_SECONDS = 5.0


class Screen(Protocol):
    """Shows the rows as they change, and sentences as they come."""

    def __enter__(self) -> Screen: ...

    def __exit__(self, *exc: object) -> None: ...

    def say(self, sentence: str) -> None:
        """Show a sentence for good."""

    def show(self, rows: Sequence[Row], usual: Mapping[str, int], *, title: str) -> None:
        """Show how things stand now."""


def screen_for(console: Console) -> Screen:
    """A table where somebody looks at a terminal, lines elsewhere."""
    return LiveTable(console) if console.is_terminal else PlainLines()


class LiveTable:
    """A table that stays at the bottom while sentences scroll away above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> LiveTable:
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.__exit__(None, None, None)

    def say(self, sentence: str) -> None:
        self._console.print(escape(sentence), highlight=False)

    def show(self, rows: Sequence[Row], usual: Mapping[str, int], *, title: str) -> None:
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("model")
        for heading in ("events/s", "p95 ms"):
            table.add_column(heading, justify="right")
        table.add_column("worst input (>1 fires)")
        table.add_column("wrong answers", justify="right")
        table.add_column("open alarms", justify="right")
        table.add_column("usual recipe's alarms", justify="right")
        for row in rows:
            style = "red" if row.open_alarms else ""
            table.add_row(
                escape(row.model),
                number(row.rate, ".0f"),
                number(milliseconds(row), ".2f"),
                escape(severity(row)),
                percent(row.wrong),
                str(row.open_alarms),
                str(usual.get(row.model, 0)),
                style=style,
            )
        self._live.update(table, refresh=True)


class PlainLines:
    """Lines on standard output, each written at once."""

    def __init__(self) -> None:
        self._next = 0.0

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def say(self, sentence: str) -> None:
        print(sentence, flush=True)

    def show(self, rows: Sequence[Row], usual: Mapping[str, int], *, title: str) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_SECONDS
        print(title, file=sys.stdout)
        for row in rows:
            print(
                f"    {row.model:<16} {number(row.rate, '.0f'):>4} events/s"
                f"   p95 {number(milliseconds(row), '.2f'):>6} ms"
                f"   worst input {severity(row):<22} wrong {percent(row.wrong):>6}"
                f"   open alarms {row.open_alarms}"
                f"   usual recipe {usual.get(row.model, 0)}",
                flush=True,
            )


def severity(row: Row) -> str:
    """The worst severity with its target, or the state where there is no verdict."""
    if row.severity is None:
        return row.state.replace("_", " ")
    return f"{row.severity:.2f} {row.target}"


def percent(share: float | None) -> str:
    """A share of answers, where the truth is known."""
    return "–" if share is None else f"{share:.1%}"


def milliseconds(row: Row) -> float | None:
    return None if row.p95_seconds is None else row.p95_seconds * 1000


def number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
