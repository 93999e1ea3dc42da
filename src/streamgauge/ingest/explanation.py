"""What a refused event should have been: its field, what was expected, and what was meant."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any

import msgspec

from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.processing import DeadLetter
from streamgauge_client.events import EVENTS

_PLACE = re.compile(r"(?:a name in )?([a-z_][^:;]{0,200}?): (.+)", re.DOTALL)
_EXPECTED = re.compile(r"expected (?P<what>.+?)(?:, found .*)?")
_ONE_OF = "one of "
_ENVELOPE = frozenset({"ce_type", "ce_time", "type", "data", "data_base64", "content-type"})


def explained(posted: Posted, event: str, letter: DeadLetter) -> Refusal:
    """The refusal that the monitor's verdict on an event amounts to."""
    split = _PLACE.fullmatch(letter.error)
    if letter.reason not in ("schema", "future") or split is None:
        return Refusal(posted.index, letter.reason, letter.error)
    field, told = split[1], split[2]
    top = re.split(r"[.\[]", field)[0]
    known = EVENTS[event].model_fields
    if top not in known and top not in _ENVELOPE:
        return Refusal(posted.index, letter.reason, letter.error)
    expectation = _EXPECTED.fullmatch(told)
    expected = expectation["what"] if expectation else _type_of(event, field)
    fields = _fields(posted.payload)
    detail, meant = letter.error, ""
    if told.startswith("missing"):
        # A name that the contract does not know and that looks like the one that is missing.
        near = nearest(field, [name for name in fields if name not in known])
        if near:
            meant = field
            detail += f"; {near!r} is no field, did you mean {meant!r}?"
    elif expected.startswith(_ONE_OF):
        meant = nearest(str(fields.get(field))[:128], expected.removeprefix(_ONE_OF).split(", "))
        detail += f"; did you mean {meant!r}?" if meant else ""
    return Refusal(posted.index, letter.reason, detail, field, expected, meant)


def nearest(word: str, words: list[str]) -> str:
    """The word that was meant, or "". Spelling with capitals or hyphens is no difference."""
    plain = {_plain(each): each for each in words}
    near = difflib.get_close_matches(_plain(word), plain, n=1)
    return plain[near[0]] if near else ""


def _fields(payload: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def _type_of(event: str, field: str) -> str:
    """What the contract says of a field, in a few words; "" where it says nothing short."""
    schema = _properties(event).get(field)
    if schema is None:
        return ""
    kinds = [each.get("type", "object") for each in schema.get("anyOf", [schema])]
    return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))


@cache
def _properties(event: str) -> dict[str, Any]:
    properties: dict[str, Any] = EVENTS[event].model_json_schema()["properties"]
    return properties
