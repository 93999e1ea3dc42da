"""Which event a JSON object is that comes without a type: the one whose fields it has."""

from __future__ import annotations

from collections.abc import Set
from functools import cache

from streamgauge.batch.envelope import HOMES
from streamgauge.plugins import did_you_mean
from streamgauge_client.events import EVENTS


def obvious_event(names: Set[str]) -> str | None:
    """The one event that an object with these fields can be, or None.

    It has all that the event requires; of several such events it is the one that knows most of the
    object's fields, if that is one.

    >>> obvious_event({"prediction_id", "model", "label", "source"})
    'label'
    """
    possible = [event for event, (required, _) in _fields().items() if required <= names]
    strangers = {event: len(names - _fields()[event][1]) for event in possible}
    fewest = [event for event in possible if strangers[event] == min(strangers.values())]
    return fewest[0] if len(fewest) == 1 else None


def event_called(hint: str) -> str:
    """The event that ``?type=`` names, by its short or its full name. Raises ``ValueError``."""
    name = hint.removeprefix("streamgauge.").removesuffix(".v1")
    if name not in HOMES:
        raise ValueError(
            f"type: no such event{did_you_mean(name, HOMES)} (there are: {', '.join(HOMES)})"
        )
    return name


@cache
def _fields() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """By event: the fields that it requires, and all that it knows."""
    return {
        event: (
            frozenset(name for name, field in model.model_fields.items() if field.is_required()),
            frozenset(model.model_fields),
        )
        for event, model in EVENTS.items()
        if event in HOMES
    }
