"""Models from bytes that were verified first: the second line of defence.

A reader of exactly what ``dump`` writes, instead of pickle's machine behind a filter of names:

* classes and functions come from a list (``allowed``), and a class is never called: an instance is
  made empty and its attributes are set;
* what is called are a few containers and our own ``rebuild``; never what an artefact brings;
* attributes are set on instances alone: pickle's would also set them on classes and functions;
* no persistent ids, no extension registry, no opcodes of older protocols, no recursion.
"""

from __future__ import annotations

import copyreg
import random
import struct
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from streamgauge.registry.allowed import allowed_class, called, resolve, unseeded_distribution
from streamgauge.registry.collector import collector_paused
from streamgauge.registry.rejected import Rejected

#: What is hashed through and through.
_NESTING = (tuple, frozenset)
_MOST_HASHED = 1_000_000
_HEAD = b"\x80\x05"
_INT, _SIZE, _FLOAT = (struct.Struct(form).unpack_from for form in ("<i", "<I", ">d"))


def load(payload: bytes) -> Any:
    """The model in an artefact's payload. Raises ``Rejected`` and nothing else.

    Only after the envelope was verified. River's Rust parts panic on garbage, and a panic is no
    ``Exception``, so everything but an interrupt becomes a refusal.
    """
    try:
        with collector_paused():
            return _Reader(payload).read()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"[:300]
        raise Rejected("payload", f"the artefact's content is refused ({said})") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: list[Any] = []
        #: One for all distributions that nobody seeded: a tree has thousands, of 2.5 kB each, and
        #: none of them draws from it.
        self._generator = random.Random(0)

    def read(self) -> Any:
        data = self._data
        if not data.startswith(_HEAD):
            raise ValueError("not in our format")
        self._at = len(_HEAD)
        while True:
            code = data[self._at]
            self._at += 1
            if code == 0x2E:  # "."
                break
            _CODES[code](self)
        if self._at != len(data) or len(self._stack) != 1 or self._marks:
            raise ValueError("something is left over")
        return self._stack[0]

    def take(self, size: int) -> bytes:
        content = self._data[self._at : self._at + size]
        # A length that lies is a refusal, not an allocation.
        if size < 0 or len(content) != size:
            raise ValueError("a length that lies")
        self._at += size
        return content

    def small(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def size(self) -> int:
        found: int = _SIZE(self._data, self._at)[0]
        self._at += 4
        return found

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marks.pop()
        return items

    def drop(self) -> None:
        self._stack = self._marks.pop()

    def integer(self) -> None:
        self._stack.append(_INT(self._data, self._at)[0])
        self._at += 4

    def double(self) -> None:
        self._stack.append(_FLOAT(self._data, self._at)[0])
        self._at += 8

    def text(self, size: int) -> None:
        self._stack.append(self.take(size).decode("utf-8", "surrogatepass"))

    def long(self, size: int) -> None:
        self._stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def memoize(self) -> None:
        self._memo.append(self._stack[-1])

    def get(self, number: int) -> None:
        self._stack.append(self._memo[number])

    def get_near(self) -> None:
        """The most frequent of all, hence without a call of another."""
        self._stack.append(self._memo[self._data[self._at]])
        self._at += 1

    def short_text(self) -> None:
        at = self._at + 1
        end = at + self._data[at - 1]
        self._at = end
        content = self._data[at:end]
        if end > len(self._data):
            raise ValueError("a length that lies")
        self._stack.append(content.decode("utf-8", "surrogatepass"))

    def append_all(self) -> None:
        items, target = self.pop_mark(), self._stack[-1]
        if type(target) not in (list, deque):
            raise TypeError(f"elements for a {type(target).__name__}")
        target.extend(items)

    def set_items(self) -> None:
        items, target = self.pop_mark(), self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise TypeError(f"entries for a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) in _NESTING:
                _refuse_endless(key)
            target[key] = value

    def add_items(self) -> None:
        items, target = self.pop_mark(), self._stack[-1]
        if type(target) is not set:
            raise TypeError(f"members for a {type(target).__name__}")
        _refuse_endless(items)
        target.update(items)

    def frozen(self) -> None:
        items = self.pop_mark()
        _refuse_endless(items)
        self._stack.append(frozenset(items))

    def look_up(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError("a name that is no text")
        self._stack.append(resolve(module, name))

    def new(self) -> None:
        args, cls = self._stack.pop(), self._stack.pop()
        if not allowed_class(cls) or type(args) is not tuple:
            raise TypeError(f"no instance is made of {_called_by(cls)}")
        self._stack.append(cls.__new__(cls, *args))

    def call(self) -> None:
        args, function = self._stack.pop(), self._stack.pop()
        if not called(function) or type(args) is not tuple:
            raise TypeError(f"{_called_by(function)} is not called")
        self._stack.append(function(*args))

    def build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        cls = type(target)
        if not allowed_class(cls):
            raise TypeError(f"no attributes are set on a {cls.__name__}")
        # Of the class: an instance's own attributes came from the artefact.
        own = getattr(cls, "__setstate__", None)
        if own is not None:
            own(target, state)
            return
        slots: Any = None
        if type(state) is tuple and len(state) == 2:
            state, slots = state
        if unseeded_distribution(cls, state):
            state["_rng"] = self._generator
        if state is not None:
            target.__dict__.update({sys.intern(name): value for name, value in state.items()})
        if slots is not None:
            declared = copyreg._slotnames(cls)  # type: ignore[attr-defined]
            for name, value in slots.items():
                if name not in declared:
                    raise TypeError(f"{cls.__name__} has no such slot")
                setattr(target, name, value)


def _refuse_endless(value: Any) -> None:
    """A tuple of twice the same tuple of twice …: sixty of them take an age to be hashed."""
    seen, work = 0, [value]
    while work:
        item = work.pop()
        if type(item) in _NESTING or item is value:
            seen += len(item)
            if seen > _MOST_HASHED:
                raise ValueError("keys are nested too deep")
            work.extend(item)


def _called_by(thing: Any) -> str:
    """A name for messages. Never ``repr``: of something nested it may take as long."""
    return str(getattr(thing, "__qualname__", type(thing).__name__))[:100]


_CODES: dict[int, Callable[[_Reader], None]] = {
    ord("N"): lambda r: r.push(None),
    0x88: lambda r: r.push(True),
    0x89: lambda r: r.push(False),
    ord("K"): lambda r: r.push(r.small()),
    ord("J"): _Reader.integer,
    0x8A: lambda r: r.long(r.small()),
    0x8B: lambda r: r.long(r.size()),
    ord("G"): _Reader.double,
    0x8C: _Reader.short_text,
    ord("X"): lambda r: r.text(r.size()),
    ord("C"): lambda r: r.push(r.take(r.small())),
    ord("B"): lambda r: r.push(r.take(r.size())),
    ord("]"): lambda r: r.push([]),
    ord("}"): lambda r: r.push({}),
    ord(")"): lambda r: r.push(()),
    0x8F: lambda r: r.push(set()),
    ord("("): _Reader.mark,
    ord("1"): _Reader.drop,
    ord("t"): lambda r: r.push(tuple(r.pop_mark())),
    ord("e"): _Reader.append_all,
    ord("u"): _Reader.set_items,
    0x90: _Reader.add_items,
    0x91: _Reader.frozen,
    0x93: _Reader.look_up,
    0x94: _Reader.memoize,
    ord("h"): _Reader.get_near,
    ord("j"): lambda r: r.get(r.size()),
    0x81: _Reader.new,
    ord("R"): _Reader.call,
    ord("b"): _Reader.build,
}
