"""Which event a JSON object is that comes without a type: the one whose fields it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from streamgauge.batch.envelope import HOMES
from streamgauge.plugins import did_you_mean
from streamgauge_client.events import EVENTS

#: How a JSON value of a type begins.
_FIRST_BYTES = {"string": b'"', "array": b"[", "object": b"{"}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an event requires, all that it knows, and how some of its values begin."""

    required: frozenset[str]
    known: frozenset[str]
    first_bytes: Mapping[str, bytes]

    def looks_like(self, fields: Mapping[str, bytes]) -> bool:
        """Whether values begin as they must, of an object that has all that is required."""
        return all(fields[name].lstrip()[:1] == first for name, first in self.first_bytes.items())


def obvious_event(fields: Mapping[str, bytes]) -> str | None:
    """The one event that an object with these fields (name → JSON) can be, or None.

    It has all that the event requires; of several such events it is the one that knows most of the
    object's fields, if that is one.

    >>> obvious_event({"prediction_id": b'"p"', "model": b'"m"', "label": b"1", "source": b'"x"'})
    'label'
    """
    complete = {
        event: shape for event, shape in _shapes().items() if shape.required <= fields.keys()
    }
    # Where none looks right, the nearest one's decoder says best what is wrong.
    right = {event: shape for event, shape in complete.items() if shape.looks_like(fields)}
    strangers = {
        event: len(fields.keys() - shape.known) for event, shape in (right or complete).items()
    }
    fewest = [event for event, count in strangers.items() if count == min(strangers.values())]
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
def _shapes() -> dict[str, _Shape]:
    shapes = {}
    for event in HOMES:
        schema = EVENTS[event].model_json_schema()
        required = frozenset(schema["required"])
        shapes[event] = _Shape(
            required=required,
            known=frozenset(schema["properties"]),
            # They tell a batch of predictions from one.
            first_bytes={
                name: _FIRST_BYTES[kind]
                for name in required
                if (kind := schema["properties"][name].get("type")) in _FIRST_BYTES
            },
        )
    return shapes
