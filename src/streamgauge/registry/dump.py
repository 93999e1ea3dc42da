"""A model as bytes: the same learned model gives the same bytes, in whatever process it learned.

Pickle's own bytes tell apart what a model can't: whether two equal texts are one object, in which
order a set happens to lie. A model that went through a checkpoint would have other bytes than one
that did not. Here texts are written once each, tuples of plain values and bytes in place, sets in
order, arrays as dtype and content. Objects that learn keep their identity.

The format is a small part of pickle's protocol 5, which ``load`` reads. Nothing is written that it
would refuse. No recursion: a regression tree's splitters may be thousands of nodes deep.
"""

from __future__ import annotations

import copyreg
import functools
import struct
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any

import numpy as np

from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.registry import rebuild
from streamgauge.registry.allowed import called, place, unseeded_distribution
from streamgauge.registry.codes import (
    CONTAINERS,
    PLAIN,
    Code,
    Mark,
    Once,
    Unstorable,
    get_code,
)
from streamgauge.registry.collector import collector_paused


def dump(model: Any) -> bytes:
    """Write a model down. Raises ``Unstorable``, naming the class that can't be kept."""
    with collector_paused():
        return _Writer().write(model)


class _Writer:
    def __init__(self) -> None:
        self._out: list[bytes] = [b"\x80\x05"]
        #: What was written already, by identity; by value for texts, by place for classes.
        self._known: dict[Any, int] = {}
        #: Temporary objects must not be freed, or another would take over their identity.
        self._alive: list[Any] = []
        self._count = 0

    def write(self, model: Any) -> bytes:
        work: list[Iterator[Any]] = [iter((model,))]
        out = self._out
        while work:
            for item in work[-1]:
                kind = type(item)
                if kind is Code:
                    out.append(item)
                    continue
                writer = PLAIN.get(kind)
                if writer is not None:
                    out.append(writer(item))
                elif kind is str:
                    self._text(item)
                elif kind is Mark:
                    self._remember(id(item.value), item.value)
                elif kind is Once:
                    self._close_tuple(item.value)
                elif (number := self._known.get(id(item))) is not None:
                    out.append(get_code(number))
                else:
                    work.append(self._parts(item))
                    break
            else:
                work.pop()
        out.append(b".")
        return b"".join(out)

    def _attributes(self, state: Any) -> Iterator[Any]:
        """An object's attributes, in place: the dictionary is the object's own, nobody else's.

        Most of a tree is here, so what is plain is written at once.
        """
        if type(state) is not dict:
            yield state
            return
        out = self._out
        out.append(b"}(")
        for name, value in state.items():
            if not self._at_once(name):
                yield name
            if not self._at_once(value):
                yield value
        out.append(b"u")

    def _at_once(self, item: Any) -> bool:
        """Write what has no parts; False for all else."""
        kind = type(item)
        writer = PLAIN.get(kind)
        if writer is not None:
            self._out.append(writer(item))
        elif kind is str:
            self._text(item)
        else:
            return False
        return True

    def _remember(self, key: Any, value: Any = None) -> None:
        self._out.append(b"\x94")
        self._known[key] = self._count
        self._count += 1
        self._alive.append(value)

    def _text(self, text: str) -> None:
        number = self._known.get(text)
        if number is not None:
            self._out.append(get_code(number))
            return
        content = text.encode("utf-8", "surrogatepass")
        size = len(content)
        self._out.append(b"\x8c" + bytes((size,)) if size < 256 else b"X" + struct.pack("<I", size))
        self._out.append(content)
        self._remember(text)

    def _close_tuple(self, value: tuple[Any, ...]) -> None:
        number = self._known.get(id(value))
        if number is None:
            self._out.append(b"t")
            self._remember(id(value), value)
        else:
            # It holds itself, through something in it, and was written meanwhile.
            self._out.append(b"1" + get_code(number))

    def _parts(self, item: Any) -> Iterator[Any]:
        """What an object is written as: codes and further objects, in order."""
        kind = type(item)
        if (container := CONTAINERS.get(kind)) is not None:
            return container(item)
        if _is_bound(item):
            return self._checked_call(rebuild.bound, (item.__self__, item.__name__), item)
        if isinstance(item, type | FunctionType | BuiltinFunctionType):
            return self._global(item)
        if kind is functools.partial:
            parts = (item.func, item.args, item.keywords)
            return self._checked_call(rebuild.partial, parts, item)
        if isinstance(item, np.dtype):
            return self._call(rebuild.dtype_of, (item.str,))
        if isinstance(item, np.generic):
            _storable(item.dtype)
            return self._call(rebuild.scalar, (item.dtype.str, item.tobytes()))
        if kind is np.ndarray:
            return self._array(item)
        if kind is Pipeline:
            return self._call(rebuild.pipeline, (item.state(),), item)
        return self._object(item)

    def _global(self, item: Any) -> Iterator[Any]:
        # By identity first: a tree asks for the same few classes ten thousand times.
        number = self._known.get(id(item))
        if number is not None:
            self._out.append(get_code(number))
            return
        pair = _placed(item)
        number = self._known.get(pair)
        if number is None:
            yield from pair
            self._out.append(b"\x93")
            self._remember(pair)
            number = self._known[pair]
        else:
            self._out.append(get_code(number))
        self._known[id(item)] = number
        self._alive.append(item)

    def _array(self, item: np.ndarray[Any, Any]) -> Iterator[Any]:
        _storable(item.dtype)
        # Kept, because sums over rows and over columns round differently.
        order = "F" if item.flags.f_contiguous and not item.flags.c_contiguous else "C"
        content = item.tobytes(order)  # type: ignore[arg-type]
        return self._call(rebuild.array, (item.dtype.str, item.shape, order, content), item)

    def _call(
        self, function: Callable[..., Any], args: tuple[Any, ...], item: Any = None
    ) -> Iterator[Any]:
        yield from self._global(function)
        yield Code(b"(")
        yield from args
        yield Code(b"tR")
        if item is not None:
            yield Mark(item)

    def _checked_call(
        self, function: Callable[..., Any], args: tuple[Any, ...], item: Any
    ) -> Iterator[Any]:
        try:
            function(*args)
        except ValueError as error:
            raise Unstorable(str(error)) from error
        return self._call(function, args, item)

    def _object(self, item: Any) -> Iterator[Any]:
        cls = type(item)
        if id(cls) not in self._known:
            _placed(cls)
        try:
            reduced = item.__reduce_ex__(4)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            raise Unstorable(f"a {cls.__qualname__} can't be written: {error}") from error
        function, args, state, elements, pairs = (*reduced, None, None, None)[:5]
        if function is copyreg.__newobj__:  # type: ignore[attr-defined]
            made, args, code = args[0], args[1:], b"t\x81"
        else:
            made, code = function, b"tR"
            if not called(made):
                raise Unstorable(
                    f"a {cls.__qualname__} is rebuilt by {made!r}, which is not called"
                )
        yield from self._global(made)
        yield Code(b"(")
        yield from args
        yield Code(code)
        yield Mark(item)
        if elements is not None:
            yield Code(b"(")
            yield from elements
            yield Code(b"e")
        if pairs is not None:
            yield Code(b"(")
            for key, value in pairs:
                yield key
                yield value
            yield Code(b"u")
        if unseeded_distribution(cls, state):
            # Seeded by the operating system, never drawn from in learning, 2.5 kB in each leaf.
            state = {name: value for name, value in state.items() if name != "_rng"}
        if state is not None:
            self._alive.append(state)
            if type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
                # What is in slots comes second.
                self._out.append(b"(")
                yield from self._attributes(state[0])
                yield from self._attributes(state[1])
                self._out.append(b"t")
            else:
                yield from self._attributes(state)
            self._out.append(b"b")


def _is_bound(item: Any) -> bool:
    if isinstance(item, MethodType):
        return True
    # What C offers at module level is "bound" to its module.
    owner = getattr(item, "__self__", None)
    return isinstance(item, BuiltinFunctionType) and not isinstance(owner, ModuleType | NoneType)


def _storable(dtype: np.dtype[Any]) -> None:
    try:
        rebuild.dtype_of(dtype.str)
    except ValueError as error:
        raise Unstorable(str(error)) from error


def _placed(item: Any) -> tuple[str, str]:
    try:
        return place(item)
    except (LookupError, ImportError, AttributeError) as error:
        raise Unstorable(
            f"the model holds {item!r}, and {error.args[0] if error.args else error}; use River's"
            " own estimators (streamgauge/registry/river_classes.py lists them)"
        ) from error
