"""Sections that come in numbers, by name: a list of entries, or a mapping, become one mapping.

A file reads best as a list (``sinks: [{name: pager, type: webhook}]``); the environment can give
single keys by name (``STREAMGAUGE_NOTIFIER__SINKS__PAGER__SECRET_FILE``). By name the two meet: a
file may describe a sink, and the environment add its secret.
"""

from __future__ import annotations

from typing import Any, get_args, get_origin

import orjson
from pydantic import BaseModel


class NotNamed(ValueError):
    """What should be named sections is none. The text says what there should be."""


def named_part(annotation: Any) -> type[BaseModel] | None:
    """The section class of ``dict[str, Section]``; None for every other annotation."""
    if get_origin(annotation) is not dict:
        return None
    part = get_args(annotation)[1]
    return part if isinstance(part, type) and issubclass(part, BaseModel) else None


def by_name(given: Any) -> dict[str, Any]:
    """Entries by their name. Raises ``NotNamed``.

    >>> by_name([{"name": "pager", "type": "webhook"}])
    {'pager': {'type': 'webhook'}}
    """
    if isinstance(given, str):
        given = _from_json(given)
    if given is None:
        return {}
    if isinstance(given, dict):
        # A name with nothing under it is an entry without keys.
        return {str(name): {} if entry is None else entry for name, entry in given.items()}
    if not isinstance(given, list | tuple):
        raise NotNamed('give a list of entries: [{"name": "pager", …}]')
    found: dict[str, Any] = {}
    for number, entry in enumerate(given, start=1):
        if not isinstance(entry, dict):
            raise NotNamed(f"entry {number} has no keys; give name, type, …")
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise NotNamed(f"entry {number} has no name; give it one: name: pager")
        if name in found:
            raise NotNamed(f"two entries are called {name!r}; rename one")
        found[name] = {key: value for key, value in entry.items() if key != "name"}
    return found


def _from_json(text: str) -> Any:
    if not text.strip():
        return []
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotNamed(
            f'is not JSON ({error.msg}); give [{{"name": "pager", …}}], or its keys one by one, '
            "with name and key at the end: …__PAGER__URL"
        ) from None
