"""Judgements as a table, with units where they have one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.output import print_rows, show_number, show_time

if TYPE_CHECKING:
    from streamgauge.state.views import JudgementView

_COLUMNS = ("target", "detector", "state", "value", "threshold", "severity", "n", "as_of", "reason")
#: A threshold of this means that nothing is allowed …
_NOTHING = 1e-9
#: … and beyond this the threshold is so small that the factor says nothing.
_MOST_SEVERITY = 1000.0


def print_judgements(
    judgements: Sequence[JudgementView], *, rival: str | None = None, times: bool = True
) -> None:
    """The table; nothing where there is no verdict.

    ``rival`` is the version before. Without ``times`` it is said elsewhere of when they are.
    """
    if not judgements:
        return
    typer.echo("")
    columns = [column for column in _COLUMNS if times or column != "as_of"]
    print_rows([_row(each, rival) for each in judgements], columns=columns)


def _row(judgement: JudgementView, rival: str | None) -> dict[str, object]:
    of_release = judgement.kind == "release"
    against = f"against version {rival}" if rival else "against another version"
    return {
        **judgement.model_dump(),
        "target": f"release {judgement.target}" if of_release else judgement.target,
        "state": words(judgement.state),
        "value": _measured(judgement, judgement.value),
        "threshold": _measured(judgement, judgement.threshold),
        "severity": _severity(judgement.severity),
        "as_of": show_time(judgement.as_of),
        "reason": judgement.reason or (against if of_release else ""),
    }


def words(state: str) -> str:
    """A judgement's state as people read it.

    >>> words("too_few"), words("ok")
    ('TOO FEW', 'ok')
    """
    return state if state in ("ok", "pending", "warming") else state.replace("_", " ").upper()


def percent(ratio: float | None) -> str:
    """A ratio in percent, precise enough to see that it is not zero."""
    return "-" if ratio is None else f"{100 * ratio:.3g} %"


def _measured(judgement: JudgementView, value: float | None) -> str:
    if value is not None and judgement.detector == "p95":
        return f"{1000 * value:.4g} ms"
    return "0" if value == _NOTHING else show_number(value)


def _severity(severity: float | None) -> str:
    if severity is not None and severity > _MOST_SEVERITY:
        return f"> {_MOST_SEVERITY:g}"
    return show_number(severity)
