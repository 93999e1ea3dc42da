"""What somebody posted: a body as it came, and the events that were found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Longest attribute of CloudEvents that is passed on, in bytes, and most of them.
MAX_ATTRIBUTE_BYTES = 1024
MAX_ATTRIBUTES = 40
#: KServe's logger writes headers of its caller's request there, tokens among them.
_LEFT_OUT = frozenset({"ce_metadata", "ce_annotations"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A body with what tells its form. Header names are in lower case; ``event`` is a hint."""

    content_type: str
    headers: Mapping[str, str]
    body: bytes
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """One event of a body.

    Parameters
    ----------
    index
        Its place in the body.
    type
        The type that CloudEvents give it, such as ``streamgauge.prediction.v1``.
    attributes
        Its other attributes under their header names (``ce_time``), as Kafka's headers hold them.
    payload
        The event itself, as bytes.
    derived
        Whether we made it ourselves, out of a model server's payloads.
    """

    index: int
    type: str
    attributes: Mapping[str, bytes]
    payload: bytes
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event of a body is not taken. No part of it holds the event's content.

    ``reason`` is that of a dead letter: decode, schema, too_large or future. ``field``,
    ``expected`` and ``did_you_mean`` are empty where there is nothing to say.
    """

    index: int
    reason: str
    detail: str
    field: str = ""
    expected: str = ""
    did_you_mean: str = ""


class Unreadable(Exception):
    """A body that holds no events at all. ``reason`` is ``media_type`` or a dead letter's."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def passed_on(attributes: Mapping[str, bytes]) -> dict[str, bytes]:
    """Attributes without those that may hold a caller's secrets."""
    return {name: value for name, value in attributes.items() if name not in _LEFT_OUT}


def oversized(attributes: Mapping[str, bytes]) -> str | None:
    """What is wrong with attributes that are too many or too long, or None."""
    if len(attributes) > MAX_ATTRIBUTES:
        return f"{len(attributes)} attributes; at most {MAX_ATTRIBUTES} are passed on"
    for value in attributes.values():
        if len(value) > MAX_ATTRIBUTE_BYTES:
            found = f"{len(value):,} bytes"
            return f"an attribute has {found}; at most {MAX_ATTRIBUTE_BYTES:,} are taken"
    return None
