"""The part of ``explain`` that the spec's owners wrote: what for, who, how good, what if."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.output import print_rows, printable, show_number
from streamgauge.specs.owners import owners_at
from streamgauge.specs.scalars import day_start

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec
    from streamgauge.state.views import CriterionView, ModelView

#: What a verdict is shown with, so that it is told without its colour.
_MARKS = {"PASS": "✓ PASS", "FAIL": "✗ FAIL", "UNDECIDED": "? UNDECIDED"}


def print_purpose(spec: ModelSpec, *, now: float) -> None:
    """Objective, who answers today, and what is overdue; nothing of what the spec leaves open."""
    if spec.project.objective:
        typer.echo(f"objective: {printable(spec.project.objective)}")
    holding = [f"{each.called} ({each.role})" for each in owners_at(spec, now)]
    if holding or spec.owner:
        typer.echo(f"owner: {printable(', '.join(holding) or spec.owner)}")
    for milestone in spec.project.milestones:
        if not milestone.done and day_start(milestone.due) + 86_400.0 <= now:
            typer.echo(f"OVERDUE since {milestone.due}: {printable(milestone.name)}")


def print_criteria(views: Sequence[ModelView]) -> None:
    """Every criterion with its verdict on the last windows, failures first."""
    rows = [
        _verdict(each, str(view.partition) if len(views) > 1 else "")
        for view in views
        for each in view.criteria
    ]
    if not rows:
        return
    typer.echo("")
    typer.echo("criteria")
    rows.sort(key=lambda row: ["FAIL", "UNDECIDED", "PASS"].index(row["verdict"].split()[1]))
    columns = ["verdict", "criterion", "kind", "claim", "value", "interval", "n", "why"]
    if len(views) > 1:
        columns.insert(1, "partition")
    print_rows(rows, columns=columns)


def print_risks(spec: ModelSpec) -> None:
    """What may go wrong, by what it shows, and what is done then."""
    if not spec.risks:
        return
    typer.echo("")
    typer.echo("risks")
    print_rows(
        [
            {
                "risk": risk.id,
                "severity": risk.severity,
                "failure": risk.failure,
                "shown_by": ", ".join(filter(None, (risk.metric, risk.monitor))),
                "contingency": risk.contingency,
            }
            for risk in spec.risks
        ],
        columns=("risk", "severity", "failure", "shown_by", "contingency"),
    )


def _verdict(criterion: CriterionView, partition: str) -> dict[str, str]:
    low, high = criterion.low, criterion.high
    known = criterion.value is not None
    return {
        "verdict": _MARKS[criterion.state],
        "partition": partition,
        "criterion": criterion.name,
        "kind": criterion.kind,
        "claim": criterion.expr,
        "value": show_number(criterion.value),
        "interval": f"{show_number(low)} to {show_number(high)}" if known else "",
        "n": f"{criterion.n:,}" if known else "",
        "why": criterion.reason,
    }
