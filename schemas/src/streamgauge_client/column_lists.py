"""A column of any kind as a list of JSON values, with passes in C where its values are plain.

The rules are those of single events (``fields``, ``outputs``, ``moments``), so that a value means
the same by either way. What had to be adjusted is counted once a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from importlib import import_module
from math import isfinite
from typing import Any

from streamgauge_client import fields
from streamgauge_client.events.base import MAX_IDENTIFIER, MAX_INTEGER, MAX_STRING
from streamgauge_client.events.timestamp import FIRST_MILLISECONDS
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import class_name, output
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

_NONE = type(None)
_PLAIN = frozenset({float, int, str, bool, _NONE})


def listed(column: Any, name: str) -> list[Any]:
    """The values of a column: numpy, pandas, polars, pyarrow, or anything iterable."""
    if type(column) is list:
        return column
    values = _read(column, name)
    if not isinstance(values, list):
        raise Unfit(f"column {name!r} is a {type(column).__name__}; give one value a row")
    return values


def features(column: Any, name: str, counters: Counters) -> list[Any]:
    """A feature's values: numbers, text, booleans, lists of numbers, None."""
    return _features(listed(column, name), name, counters)


def outputs(column: Any, name: str, counters: Counters) -> list[Any]:
    """Outputs, each by the rule of single ones: a boolean is a class, a class has a name."""
    shape: tuple[int, ...] = getattr(column, "shape", ())
    # One output a row in an array of one column: the row is the output, as in a single event.
    values = listed(column.reshape(-1) if len(shape) == 2 and shape[1] == 1 else column, name)
    kinds = set(map(type, values))
    if bool in kinds or not kinds <= _PLAIN:
        return _each(
            values,
            counters,
            lambda value, once: None if missing(value, once) else output(value, once, name=name),
        )
    return _features(values, name, counters)


def classes(column: Any, name: str, counters: Counters) -> list[str | None]:
    """Names of classes; a missing one is None."""
    return _each(
        listed(column, name),
        counters,
        lambda value, once: None if missing(value, once) else class_name(value),
    )


def numbers(column: Any, name: str, counters: Counters) -> list[float | None]:
    """Finite numbers or None."""
    values = listed(column, name)
    if set(map(type, values)) <= {float, int, _NONE}:
        return _features(values, name, counters)
    return _each(
        values,
        counters,
        lambda value, once: None if missing(value, once) else fields.number(value, name, once),
    )


def latencies(column: Any, name: str, counters: Counters) -> list[float | None]:
    """Milliseconds or None. A negative one is left out, as in a single event."""
    values = numbers(column, name, counters)
    if any(value is not None and value < 0 for value in values):
        counters.adjusted("latency")
        return [None if value is None or value < 0 else value for value in values]
    return values


def identifiers(column: Any, name: str, counters: Counters) -> list[str | None]:
    """Identifiers or None."""
    values = listed(column, name)
    kinds = set(map(type, values))
    if kinds == {str} and all(values) and _all_short(values, kinds, MAX_IDENTIFIER):
        return values
    return _each(
        values,
        counters,
        lambda value, once: None if missing(value, once) else fields.identifier(value, name),
    )


def texts(column: Any, name: str, counters: Counters) -> list[str | None]:
    """Text, cut to 1,024 characters, or None. Numbers and booleans become text."""
    return _each(
        listed(column, name),
        counters,
        lambda value, once: None if missing(value, once) else fields.text(value, name, once),
    )


def moments(column: Any, name: str, counters: Counters) -> list[float | str | None]:
    """Event times or None; see ``moments.seconds``."""
    values = listed(column, name)
    if set(map(type, values)) == {float} and all(
        0.0 <= value < FIRST_MILLISECONDS for value in values
    ):
        return values
    return _each(values, counters, partial(_moment, name))


def _moment(name: str, value: Any, once: Counters) -> float | str | None:
    if missing(value, once):
        return None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise Unfit(
            f"{name} has no timezone, and none is guessed; pandas: .dt.tz_localize('UTC'), "
            "polars: .dt.replace_time_zone('UTC'), numpy: give seconds since 1970"
        )
    return seconds(value, name=name)


def missing(value: Any, counters: Counters) -> bool:
    """None, and what frames have in its place: NaN, NaT, NA. All but None are counted."""
    if value is None:
        return True
    if type(value).__name__ in fields.MISSING or (isinstance(value, float) and value != value):
        counters.adjusted("nonfinite")
        return True
    return False


class _Once(Counters):
    """Remembers what happened in a column, however often."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    def adjusted(self, kind: str) -> None:
        self.kinds.add(kind)


def _each(
    values: list[Any], counters: Counters, convert: Callable[[Any, Counters], Any]
) -> list[Any]:
    once = _Once()
    converted = [convert(value, once) for value in values]
    for kind in sorted(once.kinds):
        counters.adjusted(kind)
    return converted


def _features(values: list[Any], name: str, counters: Counters) -> list[Any]:
    kinds = set(map(type, values))
    if not kinds <= _PLAIN or (int in kinds and _any_huge(values, kinds)):
        return _each(
            values,
            counters,
            lambda value, once: None if missing(value, once) else fields.feature(value, name, once),
        )
    if str in kinds and not _all_short(values, kinds, MAX_STRING):
        counters.adjusted("truncated")
        values = [value[:MAX_STRING] if type(value) is str else value for value in values]
    if float in kinds and not _all_finite(values, kinds):
        counters.adjusted("nonfinite")
        values = [None if type(value) is float and value - value else value for value in values]
    return values


# Where all values are of one kind, a built-in answers three times faster than a loop.
def _any_huge(values: list[Any], kinds: set[type]) -> bool:
    if len(kinds) == 1:
        return not -MAX_INTEGER <= min(values) <= max(values) <= MAX_INTEGER
    return any(type(value) is int and not -MAX_INTEGER <= value <= MAX_INTEGER for value in values)


def _all_short(values: list[Any], kinds: set[type], limit: int) -> bool:
    if len(kinds) == 1:
        return max(map(len, values)) <= limit
    return all(len(value) <= limit for value in values if type(value) is str)


def _all_finite(values: list[Any], kinds: set[type]) -> bool:
    if len(kinds) == 1:
        return all(map(isfinite, values))
    return all(isfinite(value) for value in values if type(value) is float)


def _read(column: Any, name: str) -> Any:
    kind = type(column)
    if hasattr(kind, "to_pylist"):
        return _read_arrow(column)
    if getattr(getattr(column, "dtype", None), "kind", "") == "M" and not hasattr(kind, "to_list"):
        # numpy gives nanoseconds as bare integers; microseconds become datetimes, NaT None.
        column = column.astype("datetime64[us]")
    for method in ("to_list", "tolist"):
        if hasattr(kind, method):
            return getattr(column, method)()
    if isinstance(column, Iterable) and not isinstance(column, (str, bytes, Mapping)):
        return list(column)
    return column


def _read_arrow(column: Any) -> Any:
    type_name = str(column.type)
    if type_name.startswith("dictionary"):
        # Decoding first is forty times faster.
        column = column.cast(column.type.value_type)
    elif type_name.startswith("timestamp[ns"):
        # Python's datetimes hold microseconds, and pyarrow would ask for pandas.
        coarser = import_module("pyarrow").timestamp("us", column.type.tz)
        column = column.cast(coarser, safe=False)
    return column.to_pylist()
