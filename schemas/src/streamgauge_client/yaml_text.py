"""Plain data as YAML text, so that a document for people needs no YAML library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# What is no number, no date and no reserved word to any YAML reader.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def to_yaml(value: dict[str, Any]) -> str:
    r"""YAML that reads back as the same data; the same data is always the same text.

    >>> print(to_yaml({"a": {"b": [1, "x y", "#"], "c": {}}, "d": "two\nlines"}), end="")
    a:
      b:
        - 1
        - x y
        - "#"
      c: {}
    d: |-
      two
      lines
    """
    return "\n".join(_mapping(value, "")) + "\n"


def _mapping(value: dict[str, Any], indent: str) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(f"{indent}{_scalar(key)}:", item, indent + "  ")


def _entry(head: str, item: Any, inner: str) -> Iterator[str]:
    if isinstance(item, dict) and item:
        yield head
        yield from _mapping(item, inner)
    elif isinstance(item, list) and item:
        yield head
        for element in item:
            yield from _element(element, inner)
    elif isinstance(item, str) and _is_block(item):
        yield f"{head} |-"
        yield from (f"{inner}{line}".rstrip() for line in item.split("\n"))
    else:
        yield f"{head} {_scalar(item)}"


def _element(element: Any, indent: str) -> Iterator[str]:
    if isinstance(element, dict) and element:
        # The first key stands behind the dash, the others below it.
        lines = list(_mapping(element, indent + "  "))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield from _entry(f"{indent}-", element, indent + "  ")


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    # JSON's scalars are YAML's, but that older readers want a point in every float.
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")
    return text


def _is_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        len(lines) > 1
        and all(line == line.rstrip() and line.isprintable() for line in lines)
        and not lines[0].startswith(" ")
        and bool(lines[0] and lines[-1])
    )
