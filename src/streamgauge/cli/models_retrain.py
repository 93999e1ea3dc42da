"""``streamgauge models retrain``: a person asks for a new model."""

from __future__ import annotations

from typing import Annotated

import typer

from streamgauge.cli.apply import author, now
from streamgauge.cli.event_log import open_events
from streamgauge.cli.model_event import retraining
from streamgauge.cli.options import settings_of
from streamgauge.cli.output import say

Model = Annotated[str, typer.Argument(help="The model's name, as its events have it.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]


def retrain(ctx: typer.Context, model: Model, reason: Reason) -> None:
    """Ask for a retraining, whatever the spec's policy says.

    The learner answers on the topic `models` with `retrain_requested`: which offsets of predictions
    and labels to train on, and from when on they are of the world as it is. It waits while a
    data-quality alarm is open. A batch trainer answers with `registered`.

    Example: `streamgauge models retrain fraud --reason "new tariff from Monday"`
    """
    with open_events(settings_of(ctx), wanted=True) as events:
        assert events is not None
        at = now()
        events.tell(retraining(model, at=at, actor=author(), reason=reason), time=at)
    say(f"asked for a retraining of {model}; see `streamgauge tail models`")
