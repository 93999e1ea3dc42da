"""Why an event was refused, for the person who sent it: field names and types, never contents."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec

from streamgauge.batch import structs
from streamgauge_client.events.feedback import FEEDBACK_KINDS

_ALLOWED: dict[str, tuple[str, ...]] = {
    "status": get_args(structs.Status),
    "variant": get_args(structs.Variant),
    "source": get_args(structs.Source),
    "action": get_args(structs.Action),
    "reset": get_args(structs.Reset),
    "kind": (*FEEDBACK_KINDS, "custom:<name>"),
}
_BROKEN_AT = re.compile(r"\(byte (\d+)\)$")
_SHOWN_NAME = 64


def broken_json(error: msgspec.DecodeError, payload: bytes) -> str:
    """Say where JSON breaks off, and name the mistakes that people make most."""
    if payload.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte order mark; send UTF-8 without it"
    if not payload.strip():
        return "empty value; send a JSON object"
    position = _BROKEN_AT.search(str(error))
    rest = payload[int(position[1]) :] if position else b""
    if rest.startswith((b"NaN", b"Infinity", b"nan", b"inf")):
        return f"not JSON: NaN or an infinity (byte {len(payload) - len(rest)}); send null"
    return f"not JSON: {str(error).removeprefix('JSON is malformed: ')}"


def wrong_content(error: msgspec.ValidationError, event: type[Any], payload: bytes) -> str:
    """Name the field, what it holds and what it should hold."""
    text, _, place = str(error).rpartition(" - at `")
    if not text:
        text, place = place, ""
    of_key = place.startswith("key` in `")
    path = place.removeprefix("key` in `").strip("`").removeprefix("$").removeprefix(".")
    if "[...]" in path:
        path = _named(path, str(error), event, _plain(payload))
    if text.startswith("Object missing required field"):
        path = f"{path}.{text.split('`')[1]}".removeprefix(".")
        text = "missing"
        if path == "prediction_id" and "specversion" in (_plain(payload) or ()):
            text += (
                "; it looks like an envelope of CloudEvents, which needs the header"
                " content-type: application/cloudevents+json"
            )
    elif text.startswith(("Invalid enum value", "Expected `str` matching regex")):
        # These two texts of msgspec's hold the value, or an expression that nobody wants to read.
        field = path.partition("[")[0]
        text = f"expected one of {', '.join(_ALLOWED[field])}"
    elif text == "Number out of range":
        text = "a number beyond what a double can hold"
    else:
        text = text.replace("`", "").replace("Expected ", "expected ").replace(", got ", ", found ")
    place = f"a name in {path}" if of_key else path
    return f"{place}: {text}" if place else text


def _plain(payload: bytes) -> Any:
    """The event as plain objects, or None where it holds a number that none of them can."""
    try:
        return msgspec.json.decode(payload)
    except msgspec.ValidationError:
        return None


def _named(path: str, message: str, event: type[Any], document: Any) -> str:
    """Put the entry's name where msgspec says ``[...]``: of 1,000 features one is wrong.

    Halves the mapping until one entry is left that gives the same message.
    """
    parents, _, rest = path.partition("[...]")
    above = document
    *outer, last = parents.split(".")
    for name in outer:
        above = above.get(name) if isinstance(above, dict) else None
    mapping = above.get(last) if isinstance(above, dict) else None
    if not isinstance(mapping, dict):
        return parents
    entries = list(mapping.items())
    while len(entries) > 1:
        half = entries[: len(entries) // 2]
        above[last] = dict(half)
        entries = half if _fails(document, event, message) else entries[len(half) :]
    above[last] = dict(entries)
    # Of duplicate names an earlier one may be the wrong one, which plain objects have lost.
    if not _fails(document, event, message):
        return parents
    name = "".join(c if c.isprintable() else "?" for c in entries[0][0][:_SHOWN_NAME])
    return f"{parents}.{name}{rest}"


def _fails(document: Any, event: type[Any], message: str) -> bool:
    try:
        msgspec.convert(document, event)
    except msgspec.ValidationError as error:
        return str(error) == message
    return False
