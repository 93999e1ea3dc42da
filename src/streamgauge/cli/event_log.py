"""Kafka for commands that tell what they decided: what goes wrong becomes one line with a hint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.failures import CommandFailed, Unreachable

if TYPE_CHECKING:
    from streamgauge.access.event_log import EventLog
    from streamgauge.settings import Settings


def _option(topic: str) -> Any:
    return typer.Option(help=f"Tell it on the {topic} topic; without, Kafka is not needed.")


ModelEventOption = Annotated[bool, _option("models")]
AlarmEventOption = Annotated[bool, _option("alarms")]


@contextmanager
def open_events(settings: Settings, *, wanted: bool) -> Iterator[EventLog | None]:
    """A Kafka that answered just now; None where no event is wanted."""
    if not wanted:
        yield None
        return
    from streamgauge.access.event_log import KafkaAway, NotTold, open_event_log

    try:
        with open_event_log(settings.kafka, service="streamgauge-cli") as events:
            yield events
    except KafkaAway as error:
        refusal = error.refusal
        hint = f"{refusal.remedy}; or decide without telling: --no-event"
        raise Unreachable(refusal.cause, hint) from error
    except NotTold as error:
        raise CommandFailed(str(error)) from error
