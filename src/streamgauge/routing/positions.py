"""How far a reader has come that settles its records in any order: never past an unsettled one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """Where a record lies."""

    partition: int
    offset: int


class Positions:
    """The next offset to read again, by partition. Thread-safe: one reads, another settles.

    Examples
    --------
    >>> positions = Positions()
    >>> for offset in (5, 6, 7):
    ...     positions.read(Place(0, offset))
    >>> positions.hold(Place(0, 6))
    >>> positions.moved()
    {0: 6}
    >>> positions.settle(Place(0, 6))
    >>> positions.moved(), positions.moved()
    ({0: 8}, {})
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[int, int] = {}
        self._held: dict[int, set[int]] = {}
        self._told: dict[int, int] = {}

    def read(self, place: Place) -> None:
        """A record was read. Unless it is held, it is settled by that."""
        with self._lock:
            self._next[place.partition] = place.offset + 1

    def hold(self, place: Place) -> None:
        """A record is to be read again until it is settled."""
        with self._lock:
            self._held.setdefault(place.partition, set()).add(place.offset)

    def settle(self, place: Place) -> None:
        """A held record needs no reading again. One that is not held (any more) is no error."""
        with self._lock:
            self._held.get(place.partition, set()).discard(place.offset)

    def read_so_far(self) -> dict[int, int]:
        """The next offset to read, whatever is held."""
        with self._lock:
            return dict(self._next)

    def moved(self) -> dict[int, int]:
        """Positions that differ from those of the last call, by partition."""
        with self._lock:
            now = {p: min(self._held.get(p) or {end}) for p, end in self._next.items()}
            moved = {p: offset for p, offset in now.items() if self._told.get(p) != offset}
            self._told.update(moved)
            return moved

    def forget(self, partitions: Iterable[int]) -> None:
        """These partitions are somebody else's now."""
        with self._lock:
            for partition in partitions:
                for table in (self._next, self._held, self._told):
                    table.pop(partition, None)
