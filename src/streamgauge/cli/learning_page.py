"""The part of ``explain`` about what learns beside a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.output import printable, show_number
from streamgauge.exposition.plain_words import plain_words

if TYPE_CHECKING:
    from streamgauge.state.learner_views import LearnerView


def print_learning(views: Sequence[LearnerView]) -> None:
    """Who answers, what each candidate loses, and the gap to a plain linear model."""
    for view in views:
        where = f", partition {view.partition}" if len(views) > 1 else ""
        typer.echo("")
        typer.echo(printable(f"learning{where}: {view.champion} answers, {view.learned:,} learned"))
        for each in view.candidates:
            lost = f"loses {show_number(each.loss)}" if each.loss is not None else "no answer yet"
            told = each.halted or ("failed" if each.failed else each.status) or "learning"
            typer.echo(printable(f"{each.name} ({each.estimator}): {lost}; {told}"))
        if view.plain is not None:
            typer.echo(printable(f"plain linear model: {plain_words(view.plain)}"))
