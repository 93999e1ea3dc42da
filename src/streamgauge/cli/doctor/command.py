"""The verb ``streamgauge doctor``: a line for each check, and an exit code for the worst."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from streamgauge.cli.failures import CheckFailed, Unreachable, WrongUsage
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_data, printable

if TYPE_CHECKING:
    from streamgauge.cli.doctor.base import Diagnosis


def doctor(
    ctx: typer.Context,
    check: Annotated[
        list[str] | None, typer.Option(help="Only this check; may be given several times.")
    ] = None,
    output: FormatOption = "table",
) -> None:
    """Check Kafka, Redis, topics, keys, clocks, specs and monitors: what is wrong, and what to do.

    Nothing is changed, and it never waits long. Exit code 3 where something is not reachable, 4
    where a check found a problem; warnings alone are 0.

    Example: `streamgauge doctor -o json`
    """
    from streamgauge.cli.doctor.base import Check
    from streamgauge.cli.doctor.examination import examine
    from streamgauge.cli.doctor.site import Site

    checks = Check.classes()
    for name in check or []:
        if name not in checks:
            near = difflib.get_close_matches(name, list(checks), n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise WrongUsage(f"there is no check {name!r}", f"{hint}there are: {', '.join(checks)}")
    chosen = [checks[name] for name in check or checks]
    found: list[tuple[str, Diagnosis]] = []
    with Site(settings_of(ctx)) as site, _told(len(chosen)) as tell:
        for name, diagnosis in examine(site, chosen):
            found.append((name, diagnosis))
            tell(len(found))
            if output == "table":
                _print(name, diagnosis)
    if output != "table":
        print_data(
            [
                {
                    "check": name,
                    "state": each.state,
                    "finding": printable(each.finding),
                    "remedy": printable(each.remedy),
                }
                for name, each in found
            ],
            output=output,
        )
    problems = [name for name, each in found if each.state == "problem"]
    if not problems:
        return
    text = f"{len(problems)} of {len(found)} checks found a problem: {', '.join(problems)}"
    if any(each.unreachable for _, each in found):
        raise Unreachable(text)
    raise CheckFailed(text)


def _print(name: str, diagnosis: Diagnosis) -> None:
    typer.echo(f"{diagnosis.state:<8} {name:<12} {printable(diagnosis.finding)}")
    if diagnosis.remedy:
        typer.echo(f"{'':<8} {'':<12} → {printable(diagnosis.remedy)}")


@contextmanager
def _told(total: int) -> Iterator[Callable[[int], None]]:
    """Yield what is to be told how many checks are done: on a terminal people see it."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"check 1 of {total}") as status:
        yield lambda done: status.update(f"check {min(done + 1, total)} of {total}")
