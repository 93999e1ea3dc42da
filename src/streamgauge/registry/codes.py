"""How plain values and Python's own containers are written; ``dump`` does the rest."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from types import NoneType
from typing import Any

#: The deepest nesting of tuples that are taken for plain.
_DEPTH = 8
_ATOMS = (bool, int, float, str, bytes, NoneType)


class Unstorable(TypeError):
    """A model that holds something which the registry doesn't keep. The text says what."""


class Once:
    """The end of a tuple that may hold itself: what is on the stack becomes it."""

    __slots__ = ("value",)

    def __init__(self, value: tuple[Any, ...]) -> None:
        self.value = value


class Mark:
    """Remember the object on top of the stack as this one."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Code(bytes):
    """Bytes of the format, not of the model."""


def _list(item: list[Any]) -> Iterator[Any]:
    yield Code(b"]")
    yield Mark(item)
    if item:
        yield Code(b"(")
        yield from item
        yield Code(b"e")


def _dict(item: dict[Any, Any]) -> Iterator[Any]:
    yield Code(b"}")
    yield Mark(item)
    if item:
        yield Code(b"(")
        for key, value in item.items():
            yield key
            yield value
        yield Code(b"u")


def _tuple(item: tuple[Any, ...]) -> Iterator[Any]:
    if not item:
        yield Code(b")")
        return
    yield Code(b"(")
    yield from item
    if _is_plain(item):
        yield Code(b"t")
    else:
        yield Once(item)


def _set(item: set[Any]) -> Iterator[Any]:
    yield Code(b"\x8f")
    yield Mark(item)
    if item:
        yield Code(b"(")
        yield from _sorted(item)
        yield Code(b"\x90")


def _frozenset(item: frozenset[Any]) -> Iterator[Any]:
    yield Code(b"(")
    yield from _sorted(item)
    yield Code(b"\x91")


CONTAINERS: dict[type, Callable[[Any], Iterator[Any]]] = {
    list: _list,
    dict: _dict,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
}


def _sorted(elements: Iterable[Any]) -> list[Any]:
    """In the order of type and text: a set's own depends on addresses and on the hash's seed."""
    if not all(_is_plain(each) or isinstance(each, type) for each in elements):
        raise Unstorable("a set of objects has no order that two processes agree on")
    return sorted(elements, key=lambda each: (type(each).__name__, repr(each)))


def _is_plain(item: Any, depth: int = _DEPTH) -> bool:
    if type(item) in _ATOMS:
        return True
    if type(item) not in (tuple, frozenset) or not depth:
        return False
    return all(_is_plain(each, depth - 1) for each in item)


def get_code(number: int) -> bytes:
    return b"h" + bytes((number,)) if number < 256 else b"j" + struct.pack("<I", number)


def _int(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes((value,))
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if len(content) < 256:
        return b"\x8a" + bytes((len(content),)) + content
    return b"\x8b" + struct.pack("<i", len(content)) + content


def _bytes(value: bytes) -> bytes:
    size = len(value)
    return (b"C" + bytes((size,)) if size < 256 else b"B" + struct.pack("<I", size)) + value


_FLOAT = struct.Struct(">d").pack
PLAIN: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"N",
    bool: lambda value: b"\x88" if value else b"\x89",
    int: _int,
    float: lambda value: b"G" + _FLOAT(value),
    bytes: _bytes,
}
