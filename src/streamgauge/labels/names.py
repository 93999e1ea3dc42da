"""Names as small numbers, in the order in which they first came."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

#: The code of what has no name.
NONE = -1

K = TypeVar("K", bound=Hashable)


class Names(Generic[K]):
    """A table of at most ``most`` names. What comes later has no code.

    >>> table = Names[str](most=2)
    >>> [table.code(name) for name in ("a", "b", "c", "a")], table.full
    ([0, 1, -1, 0], True)
    """

    def __init__(self, *, most: int) -> None:
        self.most = most
        self.names: list[K] = []
        self._codes: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self.names)

    @property
    def full(self) -> bool:
        return len(self.names) >= self.most

    def code(self, name: K) -> int:
        found = self._codes.get(name)
        if found is not None:
            return found
        if self.full:
            return NONE
        self._codes[name] = len(self.names)
        self.names.append(name)
        return len(self.names) - 1

    def codes(self, names: Sequence[K | None]) -> NDArray[np.int32]:
        """Codes of a column, shape (n,); ``NONE`` where there is no name."""
        n = len(names)
        if n and names.count(names[0]) == n:
            first = names[0]
            return np.full(n, NONE if first is None else self.code(first), dtype=np.int32)
        code = self.code
        return np.array([NONE if each is None else code(each) for each in names], dtype=np.int32)

    def state(self) -> list[Any]:
        return list(self.names)

    def restore(self, names: list[Any]) -> Self:
        """Take the names of ``state`` back, lists as tuples."""
        for name in names:
            self.code(_hashable(name))
        return self


def _hashable(name: Any) -> Any:
    return tuple(map(_hashable, name)) if isinstance(name, list) else name
