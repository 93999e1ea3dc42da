"""The evolution rule of the contract: whether one JSON Schema may follow another.

Old events must satisfy the new schema and new events the old one, so an event may only gain
optional fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

#: What a schema says to people alone.
_WORDS = frozenset({"$defs", "$id", "$schema", "title", "description", "examples", "default"})


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` breaks a reader or a writer of ``old``; empty where nothing does.

    >>> old = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    >>> breaking_changes(old, {"properties": {"a": {"type": "number"}}, "required": ["a"]})
    ["a: type changed from 'string' to 'number'"]
    """
    return _compare("", old, new, old.get("$defs", {}), new.get("$defs", {}))


def _compare(path: str, old: Any, new: Any, old_defs: Schema, new_defs: Schema) -> list[str]:
    old, new = _resolve(old, old_defs), _resolve(new, new_defs)
    where = path or "event"
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        problems = _fields(path, old, new, old_defs, new_defs)
        for key in sorted((old.keys() | new.keys()) - _WORDS - {"properties", "required"}):
            if key not in old:
                problems.append(f"{where}: {key} added")
            elif key not in new:
                problems.append(f"{where}: {key} removed")
            elif isinstance(old[key], (Mapping, list)):
                problems += _compare(f"{where}.{key}", old[key], new[key], old_defs, new_defs)
            elif old[key] != new[key]:
                problems.append(f"{where}: {key} changed from {old[key]!r} to {new[key]!r}")
        return problems
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            problem
            for index, (before, after) in enumerate(zip(old, new, strict=True))
            for problem in _compare(f"{where}[{index}]", before, after, old_defs, new_defs)
        ]
    return [] if old == new else [f"{where}: changed from {old!r} to {new!r}"]


def _fields(path: str, old: Schema, new: Schema, old_defs: Schema, new_defs: Schema) -> list[str]:
    problems: list[str] = []
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        field = f"{path}.{name}" if path else name
        if name not in after:
            problems.append(f"{field}: removed")
        else:
            problems += _compare(field, before[name], after[name], old_defs, new_defs)
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    problems += [f"{path}.{name}".lstrip(".") + ": newly required" for name in sorted(now - was)]
    problems += [
        f"{path}.{name}".lstrip(".") + ": no longer required" for name in sorted(was - now)
    ]
    return problems


def _resolve(schema: Any, defs: Schema) -> Any:
    while isinstance(schema, Mapping) and "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    return schema
