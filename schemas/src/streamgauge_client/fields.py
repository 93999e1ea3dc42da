"""Fields of an event: cheap checks and conversions of whatever a caller gives.

They run in the caller's thread at each event, so they look at structure alone. What they refuse
(``Unfit``) the monitor would refuse too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from streamgauge_client.events.base import (
    MAX_ARRAY,
    MAX_FEATURES,
    MAX_IDENTIFIER,
    MAX_INTEGER,
    MAX_STRING,
)
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

#: Feature names that passed the check before; bounded, since names may be hostile.
_MAX_KNOWN_NAMES = 10_000
#: pandas' missing values, known by name so that pandas is not imported.
MISSING = frozenset({"NAType", "NaTType"})


def identifier(given: object, name: str) -> str:
    """An id, a model, a version: 1 to 128 characters. Integers and UUIDs become text."""
    if type(given) is not str:
        if isinstance(given, str):
            given = str.__str__(given)
        elif isinstance(given, (int, UUID)) and not isinstance(given, bool):
            given = str(given)
        else:
            raise Unfit(f"{name} is a {type(given).__name__}; give text")
    if not 0 < len(given) <= MAX_IDENTIFIER:
        raise Unfit(f"{name} has {len(given)} characters; 1 to {MAX_IDENTIFIER} are allowed")
    return given


def text(given: object, name: str, counters: Counters) -> str:
    """Free text, cut to 1,024 characters. Numbers and booleans become text."""
    if type(given) is str and len(given) <= MAX_STRING:
        return given
    if isinstance(given, Enum):
        given = given.value
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str):
        if isinstance(given, (int, float, UUID, date)) or hasattr(given, "tolist"):
            return str(given)
        raise Unfit(f"{name} is a {type(given).__name__}; give text")
    if len(given) > MAX_STRING:
        counters.adjusted("truncated")
        return given[:MAX_STRING]
    return given


def string_map(given: object, name: str, counters: Counters) -> dict[str, str]:
    """Segments, lineage, tags: text by name. Entries that are None are left out."""
    # The exact type first: asking the abstract one costs half a microsecond.
    if type(given) is not dict and not isinstance(given, Mapping):
        raise Unfit(f"{name} is a {type(given).__name__}; give a dictionary of text")
    if len(given) > MAX_FEATURES:
        raise Unfit(f"{name} has {len(given)} entries; at most {MAX_FEATURES} are allowed")
    return {
        identifier(key, f"a key of {name}"): text(value, f"{name}[{key!r}]", counters)
        for key, value in given.items()
        if value is not None
    }


def number(given: object, name: str, counters: Counters) -> float | None:
    """A finite number. NaN and infinity become None, and are counted."""
    if type(given) is float and given - given == 0.0:
        return given
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, Decimal):
        given = float(given)
    if not isinstance(given, (int, float)) or isinstance(given, bool):
        raise Unfit(f"{name} is a {type(given).__name__}; give a number")
    if isinstance(given, int):
        return given if -MAX_INTEGER <= given <= MAX_INTEGER else _float(given, name)
    if given - given != 0.0:
        counters.adjusted("nonfinite")
        return None
    return given if type(given) is float else float(given)


def vector(given: list[Any] | tuple[Any, ...], name: str, counters: Counters) -> list[Any] | None:
    """A list of finite numbers. One NaN makes the whole vector None: a hole has no place in it."""
    if len(given) > MAX_ARRAY:
        raise Unfit(f"{name} has {len(given)} elements; at most {MAX_ARRAY} are allowed")
    numbers = [number(element, f"an element of {name}", counters) for element in given]
    return None if None in numbers else numbers


class Features:
    """Checks feature dictionaries; remembers the names that were good."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[str] = set()

    def take(self, given: Any, counters: Counters) -> Mapping[str, Any]:
        """The features as JSON will have them; the same dictionary where nothing needs a change.

        Its pass over plain values costs 1 µs for 20 features; all else goes the long way.
        """
        if type(given) is dict and len(given) <= MAX_FEATURES and self._known.issuperset(given):
            for value in given.values():
                kind = type(value)
                if kind is float:
                    if value - value != 0.0:
                        break
                elif kind is str:
                    if len(value) > MAX_STRING:
                        break
                elif kind is int:
                    if not -MAX_INTEGER <= value <= MAX_INTEGER:
                        break
                elif kind is not bool and value is not None:
                    break
            else:
                return given
        return self._convert(given, counters)

    def _convert(self, given: Any, counters: Counters) -> dict[str, Any]:
        # A pandas row has items() without being a Mapping.
        if not isinstance(given, Mapping) and not hasattr(given, "items"):
            raise Unfit(
                f"features is a {type(given).__name__}; give a dictionary: dict(zip(names, row))"
            )
        if hasattr(given, "__len__") and len(given) > MAX_FEATURES:
            raise Unfit(f"{len(given)} features; at most {MAX_FEATURES} are allowed")
        return {
            name if type(name) is str and name in self._known else self._name(name): (
                feature(value, name, counters)
            )
            for name, value in given.items()
        }

    def _name(self, given: object) -> str:
        name = identifier(given, "a feature's name")
        if len(self._known) < _MAX_KNOWN_NAMES:
            self._known.add(name)
        return name


def feature(given: Any, name: object, counters: Counters) -> Any:
    """A feature's value as JSON has it."""
    if given is None or type(given) is bool:
        return given
    # numpy, pandas and torch alike; numpy's float64 is a float too, and costs less so.
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, Enum):
        given = given.value
    if isinstance(given, str):
        return text(given, "", counters)
    if isinstance(given, bool) or given is None:
        return given
    if isinstance(given, (int, float, Decimal)):
        return number(given, f"feature {name!r}", counters)
    if isinstance(given, (list, tuple)):
        return vector(given, f"feature {name!r}", counters)
    if type(given).__name__ in MISSING:
        return None
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, UUID):
        return str(given)
    raise Unfit(
        f"feature {name!r} is a {type(given).__name__}; give a number, text, a boolean, "
        "a list of numbers or None",
        "unencodable",
    )


def _float(given: int, name: str) -> float:
    try:
        return float(given)
    except OverflowError as error:
        raise Unfit(f"{name} is too large for a double") from error
