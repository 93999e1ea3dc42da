"""Values of any shape as features: scalars by name, vectors as ``name[i]``, large ones in sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import fsum, sqrt
from typing import Any

from streamgauge_client.events.base import MAX_FEATURES, MAX_STRING


def features_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Features of an event out of what a model was given, at most as many as an event may hold.

    Nested objects become ``a.b``, lists ``name[i]`` in row-major order. A list that would not fit
    becomes ``name.mean``, ``.std``, ``.min`` and ``.max``; a text that is too long ``name.length``.

    >>> features_of({"age": 41, "x": [0.5, 1.5], "at": {"lat": 59.3}})
    {'age': 41, 'x[0]': 0.5, 'x[1]': 1.5, 'at.lat': 59.3}
    """
    named = dict(_named(values))
    features = _laid_out(named, most=MAX_FEATURES)
    if len(features) > MAX_FEATURES:
        features = _laid_out(named, most=MAX_FEATURES // len(named))
    return features


def flat(value: Any) -> list[Any]:
    """The scalars of nested lists, row by row. Never recursive: depth is the sender's to choose.

    >>> flat([[1, 2], [3, [4]]])
    [1, 2, 3, 4]
    """
    scalars: list[Any] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(reversed(item))
        else:
            scalars.append(item)
    return scalars


def _named(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    stack: list[tuple[str, Any]] = list(values.items())[::-1]
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((f"{name}.{key}", inner) for key, inner in list(value.items())[::-1])
        else:
            yield name, value


def _laid_out(named: Mapping[str, Any], *, most: int) -> dict[str, Any]:
    features: dict[str, Any] = {}
    for name, value in named.items():
        if not isinstance(value, list):
            features.update(_scalar(name, value))
            continue
        scalars = flat(value)
        if len(scalars) == 1:
            features.update(_scalar(name, scalars[0]))
        elif len(scalars) <= most:
            for i, each in enumerate(scalars):
                features.update(_scalar(f"{name}[{i}]", each))
        else:
            features.update(_summary(name, scalars))
    return features


def _scalar(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str) and len(value) > MAX_STRING:
        return {f"{name}.length": len(value)}
    # An object inside of a list has no name to go by.
    return {name: None} if isinstance(value, dict) else {name: value}


def _summary(name: str, scalars: list[Any]) -> dict[str, Any]:
    numbers = [float(each) for each in scalars if isinstance(each, int | float)]
    if len(numbers) < len(scalars):
        return {f"{name}.length": len(scalars)}
    n = len(numbers)
    mean = fsum(numbers) / n
    return {
        f"{name}.mean": mean,
        f"{name}.std": sqrt(fsum((each - mean) ** 2 for each in numbers) / n),
        f"{name}.min": min(numbers),
        f"{name}.max": max(numbers),
    }
