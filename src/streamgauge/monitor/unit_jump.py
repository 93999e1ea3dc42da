"""A change of unit, recognised by mean and spread that both changed by a factor that has a name."""

from __future__ import annotations

import math
from typing import NamedTuple


class Spread(NamedTuple):
    """Mean and standard deviation of a numeric feature."""

    mean: float
    std: float


class _Unit(NamedTuple):
    """``factor`` is how many of the first unit make one of the second."""

    factor: float
    first: str
    second: str


_UNITS = (
    _Unit(1.60934, "kilometres", "miles"),
    _Unit(2.20462, "pounds", "kilograms"),
    _Unit(2.54, "centimetres", "inches"),
    _Unit(3.28084, "feet", "metres"),
    _Unit(10.0, "tenths", "units"),
    _Unit(60.0, "seconds", "minutes (or minutes instead of hours)"),
    _Unit(100.0, "percent", "a ratio (or cents instead of units)"),
    _Unit(1000.0, "thousandths", "units (milliseconds, grams)"),
    _Unit(1024.0, "bytes", "KiB"),
    _Unit(3600.0, "seconds", "hours"),
    _Unit(1e6, "millionths", "units (microseconds)"),
    _Unit(1e9, "billionths", "units (nanoseconds)"),
)
#: Scales of temperature: degrees in one of Celsius, and where Celsius' zero is.
_SCALES = {"Celsius": (1.0, 0.0), "Fahrenheit": (1.8, 32.0), "Kelvin": (1.0, 273.15)}
#: Temperatures that features have, in Celsius.
_TEMPERATURES = (-100.0, 300.0)

#: How far the spread may be from the factor, relatively, and the mean, in standard deviations: a
#: window is no reference. Small factors are met by chance, so they must fit better.
_LOOSE, _TIGHT = (0.2, 0.35), (0.06, 0.12)
_SMALL = 5.0


def unit_jump(before: Spread, now: Spread) -> str | None:
    """Say which unit a feature seems to have now, and which it had; None where none fits.

    >>> unit_jump(Spread(0.5, 0.1), Spread(50.3, 9.8))
    'looks like percent instead of a ratio (or cents instead of units): ×100'
    >>> unit_jump(Spread(20.0, 5.0), Spread(68.2, 9.1))
    'looks like Fahrenheit instead of Celsius'
    >>> unit_jump(Spread(20.0, 5.0), Spread(21.0, 5.0))
    """
    if not all(map(math.isfinite, (*before, *now))) or before.std < 0 or now.std < 0:
        return None
    if _misfit(before, now, 1.0, 0.0) <= 1.0:
        # It is where it was.
        return None
    found = [
        (misfit, words)
        for misfit, words in (*_scaled(before, now), *_temperatures(before, now))
        if misfit <= 1.0
    ]
    return f"looks like {min(found)[1]}" if found else None


def _scaled(before: Spread, now: Spread) -> list[tuple[float, str]]:
    found = []
    for unit in _UNITS:
        words = f"{unit.first} instead of {unit.second}: ×{unit.factor:g}"
        found.append((_misfit(before, now, unit.factor, 0.0), words))
        # The examples in brackets read one way only.
        second = unit.second.partition(" (")[0]
        words = f"{second} instead of {unit.first}: ÷{unit.factor:g}"
        found.append((_misfit(before, now, 1.0 / unit.factor, 0.0), words))
    if abs(before.mean) > before.std:
        found.append((_misfit(before, now, -1.0, 0.0), "the opposite sign"))
    return found


def _temperatures(before: Spread, now: Spread) -> list[tuple[float, str]]:
    found = []
    for old, (old_degree, old_zero) in _SCALES.items():
        if not _TEMPERATURES[0] <= (before.mean - old_zero) / old_degree <= _TEMPERATURES[1]:
            continue
        for new, (new_degree, new_zero) in _SCALES.items():
            if new != old:
                degree = new_degree / old_degree
                misfit = _misfit(before, now, degree, new_zero - degree * old_zero)
                found.append((misfit, f"{new} instead of {old}"))
    return found


def _misfit(before: Spread, now: Spread, factor: float, offset: float) -> float:
    """How badly ``factor · x + offset`` explains the change; up to 1 is good enough."""
    small = 1.0 / _SMALL < abs(factor) < _SMALL and factor != 1.0
    wide, far = _TIGHT if small else _LOOSE
    mean, std = factor * before.mean + offset, abs(factor) * before.std
    if not (math.isfinite(mean) and math.isfinite(std)):
        return math.inf
    if std == 0.0 or now.std == 0.0:
        # Of a constant only the value tells, and it must fit exactly.
        exact = std == now.std and math.isclose(mean, now.mean, rel_tol=1e-4) and mean != 0.0
        return 0.0 if exact else math.inf
    spread = abs(math.log(now.std) - math.log(std)) / math.log1p(wide)
    return max(spread, abs(now.mean - mean) / (far * std))
