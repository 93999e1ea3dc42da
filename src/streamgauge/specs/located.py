"""YAML as plain values, with the place of every one of them in the file.

Built from the parser's events instead of a loader: nothing is constructed by tag, aliases never
expand, depth is bounded before anything recurses, and ``NO`` stays the country it is (the rules
for plain words are those of YAML 1.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16

_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,10})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _WORDS |= dict.fromkeys((_word, _word.capitalize(), _word.upper()), _value)
_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, counted from 1, and how many characters of the line it takes."""

    line: int
    column: int
    length: int = 1


class Unreadable(Exception):
    """The file is not the YAML that a spec may be."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Located:
    """A document's value, and the places of its values and keys by path."""

    value: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    #: Scalars as they are written.
    texts: dict[Path, str] = field(default_factory=dict)


def read_text(data: bytes) -> str:
    """The file as text. Raises ``Unreadable`` where it is too long or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise Unreadable(Place(1, 1), f"the file has {len(data):,} bytes; the limit is 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise Unreadable(
            Place(line, column),
            f"found byte 0x{data[error.start]:02x}, expected UTF-8",
            "save the file as UTF-8",
        ) from None


def locate(text: str) -> Located:
    """Read one YAML document. Raises ``Unreadable``."""
    document = Located()
    try:
        events = iter(yaml.parse(text, Loader=_Loader))
        begun = False
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if begun:
                    raise Unreadable(
                        _place(event),
                        "found a second document, expected one spec per file",
                        "put it into a file of its own",
                    )
                begun = True
                document.value = _node(next(events), events, document, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and error.context_mark and mark.line >= len(text.splitlines()):
            # Something is never closed: its beginning says more than the end of the file.
            mark = error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise Unreadable(place, _syntax(error)) from None
    except yaml.YAMLError:
        raise Unreadable(_reader_place(text), "found a character that YAML forbids") from None
    return document


def _node(event: Any, events: Iterator[Any], document: Located, path: Path) -> Any:
    if isinstance(event, yaml.AliasEvent):
        raise Unreadable(_place(event), f"found the alias *{event.anchor}", "write the value out")
    place = _place(event)
    document.values[path] = place
    if isinstance(event, yaml.ScalarEvent):
        if event.tag not in _STRING_TAGS:
            raise Unreadable(place, f"found the tag {event.tag}", "tags are not used in specs")
        document.texts[path] = event.value
        return event.value if event.style or event.tag else _plain(event.value)
    if event.tag is not None and event.tag != "!":
        raise Unreadable(place, f"found the tag {event.tag}", "tags are not used in specs")
    if len(path) >= MAX_DEPTH:
        raise Unreadable(place, f"found more than {MAX_DEPTH} levels, one inside the other")
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_node(event, events, document, (*path, len(items))))
        return items
    return _mapping(events, document, path)


def _mapping(events: Iterator[Any], document: Located, path: Path) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        place = _place(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise Unreadable(place, "found a structure as a key, expected a word")
        key = event.value
        here = (*path, key)
        if key in mapping:
            first = document.keys[here]
            raise Unreadable(
                place, f"found `{key}` twice", f"it stands in line {first.line} already"
            )
        document.keys[here] = place
        mapping[key] = _node(next(events), events, document, here)
    return mapping


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    length = end.column - start.column if start.line == end.line else 1
    return Place(start.line + 1, start.column + 1, max(1, length))


def _reader_place(text: str) -> Place:
    # The error counts bytes with one reader and characters with the other, so look for it.
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    at = found.start() if found else 0
    return Place(text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return "not YAML: " + ", ".join(parts)
