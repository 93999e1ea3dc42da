"""Hyperparameters: what type and range each has, so that a wrong one is told before it trains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from streamgauge.plugins import PluginError, did_you_mean

#: What a spec may give: JSON's plain values. Nothing callable, nothing that names code.
Value = int | float | str | bool


class Parameter(Protocol):
    """One hyperparameter: its default, and what it takes."""

    @property
    def default(self) -> Value: ...

    @property
    def expected(self) -> str:
        """What it takes, in words."""

    def read(self, value: object) -> Value | None:
        """The value as the estimator takes it; None where it is of a wrong type or range."""


@dataclass(frozen=True, slots=True)
class Real:
    """A number from ``low`` to ``high``, both included."""

    default: float
    low: float
    high: float

    @property
    def expected(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def read(self, value: object) -> float | None:
        number = _number(value)
        return number if number is not None and self.low <= number <= self.high else None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included."""

    default: int
    low: int
    high: int

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: object) -> int | None:
        number = _number(value)
        if number is None or number != int(number) or not self.low <= number <= self.high:
            return None
        return int(number)


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words; the first is the default."""

    words: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.words[0]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.words)

    def read(self, value: object) -> str | None:
        return value if isinstance(value, str) and value in self.words else None


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    default: bool

    @property
    def expected(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool | None:
        return value if isinstance(value, bool) else None


def read_parameters(
    owner: str, known: Mapping[str, Parameter], given: Mapping[str, object]
) -> dict[str, Value]:
    """All of ``known``, as given or by default.

    Raises ``PluginError`` for an unknown name and for a value of a wrong type or range.
    """
    for name in given:
        if name not in known:
            raise PluginError(
                f"{owner} has no parameter {name!r}{did_you_mean(name, known)} "
                f"(there are: {', '.join(sorted(known)) or 'none'})"
            )
    values: dict[str, Value] = {}
    for name, parameter in known.items():
        value = parameter.read(given[name]) if name in given else parameter.default
        if value is None:
            raise PluginError(f"{owner}: {name} is {given[name]!r}, expected {parameter.expected}")
        values[name] = value
    return values


def _number(value: object) -> float | None:
    """A finite number, also one written ``1e-3``, which YAML 1.1 calls a text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
