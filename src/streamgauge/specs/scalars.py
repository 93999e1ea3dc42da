"""Single values of a spec: numbers that may be written ``1e6``, durations like ``90s``, names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SIZES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kMGmg]i?B|kb|mb|gb)")
_DURATION_TEXT = "a duration like 10s, 5m, 24h, 30d, or seconds as a number"


def refuse(
    expected: str,
    *,
    at: tuple[str | int, ...] = (),
    allowed: Iterable[str] = (),
    key: bool = False,
) -> PydanticCustomError:
    """The one error that specs raise: what was expected, where below, and the words allowed.

    ``key`` says that the key is wrong and not its value.
    """
    return PydanticCustomError(
        "spec",
        "expected {expected}",
        {"expected": expected, "at": at, "allowed": tuple(allowed), "key": key},
    )


def parse_number(value: object) -> float:
    """A finite number; text is read as one, because YAML 1.1 calls ``1e6`` a string.

    >>> parse_number("1e6")
    1000000.0
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise refuse("a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refuse("a number")
    return float(value)


def parse_integer(value: object) -> int:
    """A whole number, also one written ``1e3``.

    >>> parse_integer("1e3")
    1000
    """
    try:
        number = parse_number(value)
    except PydanticCustomError:
        raise refuse("a whole number") from None
    if number != int(number):
        raise refuse("a whole number")
    return int(number)


def parse_duration(value: object) -> float:
    """Seconds of a duration with units, or of a plain number.

    >>> parse_duration("1h30m"), parse_duration("250ms"), parse_duration(90)
    (5400.0, 0.25, 90.0)
    """
    if isinstance(value, str) and _DURATION.fullmatch(value.strip()):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    try:
        return parse_number(value)
    except PydanticCustomError:
        raise refuse(_DURATION_TEXT) from None


def parse_size(value: object) -> int:
    """Bytes of a size with a unit, or of a plain number.

    >>> parse_size("16 MB"), parse_size("1MiB"), parse_size(1e6)
    (16000000, 1048576, 1000000)
    """
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        size = float(found[1]) * _SIZES[found[2].lower()]
        if size == int(size):
            return int(size)
    try:
        return parse_integer(value)
    except PydanticCustomError:
        raise refuse("a size like 16 MB, or bytes as a whole number") from None


def show_duration(seconds: float) -> str:
    """A duration in the largest unit that says it exactly.

    >>> show_duration(86400.0), show_duration(90.0), show_duration(0.5)
    ('24h', '90s', '500ms')
    """
    for unit in ("d", "h", "m", "s"):
        number = seconds / _UNITS[unit]
        # Beyond a day or so, days read better; just below, hours do, as the defaults write them.
        if number == int(number) and (number >= 2 or unit == "s"):
            return f"{int(number)}{unit}"
    if seconds < 1:
        return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def parse_category(value: object) -> str:
    """A category as text; booleans and numbers are written as JSON writes them.

    >>> parse_category(True), parse_category(3.0), parse_category("NO")
    ('true', '3', 'NO')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise refuse("a category: text, a number, true or false")
    return value


def parse_date(value: object) -> str:
    """A day of the calendar, as text.

    >>> parse_date("2026-03-01")
    '2026-03-01'
    """
    try:
        return date.fromisoformat(value.strip() if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise refuse("a day like 2026-03-01") from None


def day_start(day: str) -> float:
    """Seconds since 1970 at which a day begins, in UTC.

    >>> day_start("1970-01-02")
    86400.0
    """
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value must satisfy, and the words for it: mistakes and documents say them alike."""

    holds: Callable[[Any], bool]
    words: str

    def __call__(self, value: Any) -> Any:
        if not self.holds(value):
            raise refuse(self.words)
        return value


def between(low: float, high: float, what: str) -> AfterValidator:
    """Refuse a number outside [low, high], in words."""
    return AfterValidator(Limit(lambda value: low <= value <= high, what))


def matching(pattern: str, what: str) -> AfterValidator:
    """Refuse text that does not match, in words."""
    compiled = re.compile(pattern)
    return AfterValidator(Limit(lambda value: compiled.fullmatch(value) is not None, what))


def _number_schema(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"type": [kind, "string"]})


Number = Annotated[float, BeforeValidator(parse_number), _number_schema("number")]
Integer = Annotated[int, BeforeValidator(parse_integer), _number_schema("integer")]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^((\d+(\.\d+)?(ms|[smhdw]))+|\d+(\.\d+)?)$"},
            ],
            "examples": ["10s", "5m", "24h", "30d", 90],
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["integer", "string"], "examples": ["16 MB", 16_000_000]}),
]
Category = Annotated[
    str,
    BeforeValidator(parse_category),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Date = Annotated[
    str,
    BeforeValidator(parse_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-01"]}),
]
Name = Annotated[str, Field(min_length=1, max_length=128)]
#: A sentence or two, for people.
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Texts = Annotated[tuple[Text, ...], Field(max_length=100)]
#: Part of a Redis key, so it has no character that means something there.
ReferenceId = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        "an id of at most 64 letters, digits, dots, hyphens and underscores",
    ),
]
Url = Annotated[
    str,
    matching(r"https?://[^\s\x00-\x1f]{1,1000}", "an address that begins with http:// or https://"),
]
