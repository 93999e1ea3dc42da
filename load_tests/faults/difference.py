"""Where two state blobs differ, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from streamgauge.state.packing import unpack

MOST = 8


def differences(expected: bytes | None, found: bytes | None) -> list[str]:
    """The first places at which they differ: what was expected, and what is there."""
    if expected is None or found is None:
        return ["is missing" if found is None else "should not be there"]
    places: list[str] = []
    for place in _walk(unpack(expected), unpack(found), ""):
        places.append(place)
        if len(places) == MOST:
            break
    return places


def _walk(a: Any, b: Any, path: str) -> Iterator[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            if key in a and key in b:
                yield from _walk(a[key], b[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} only {'expected' if key in a else 'found'}"
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _walk(one, other, f"{path}[{number}]")
    elif isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            yield f"{path}: {_short(a.tolist())} expected, {_short(b.tolist())} found"
    # Not a number is never equal to itself, and is the same here.
    elif type(a) is not type(b) or (a != b and not (a != a and b != b)):
        yield f"{path}: {_short(a)} expected, {_short(b)} found"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
