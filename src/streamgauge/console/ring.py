"""A ring of numbers: the last ones of a line over time, in four bytes each."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence

#: An hour of ten seconds each.
POINTS = 360
#: Singles. The objects around them are small beside them.
RING_BYTES = 4 * POINTS

Values = list[float | None]


class Ring:
    """The newest value of each slot; a slot that nobody wrote is unknown.

    Slots are counted from 1970. They are written in order; NaN stands for unknown.
    """

    __slots__ = ("_newest", "_oldest", "_values")

    def __init__(self) -> None:
        self._values = array("f", [math.nan]) * POINTS
        self._newest = -1
        self._oldest = -1

    def put(self, slot: int, value: float) -> None:
        """Write a slot, again or later than all before."""
        if self._newest < 0:
            self._oldest = slot
        else:
            for skipped in range(max(self._newest + 1, slot - POINTS + 1), slot):
                self._values[skipped % POINTS] = math.nan
        self._values[slot % POINTS] = value
        self._newest = slot

    def values(self, end: int) -> Values:
        """All up to a slot. What is older than an hour, and what lies before the first, is left."""
        if self._newest < 0:
            return []
        found: Values = []
        for slot in range(max(self._oldest, end - POINTS + 1), end + 1):
            value = self._values[slot % POINTS] if slot <= self._newest else math.nan
            if found or not math.isnan(value):
                found.append(None if math.isnan(value) else float(f"{value:.4g}"))
        return found

    def recent(self) -> float:
        """The largest value that is there, to tell which ring is worth its bytes."""
        return max((value for value in self._values if not math.isnan(value)), default=-1.0)


def thinned(values: Values, most: int, how: Callable[[Sequence[float]], float]) -> Values:
    """At most so many values, each of them of equally many neighbours.

    >>> thinned([1, 3, None, None, 5, 7], 3, max)
    [3, None, 7]
    """
    width = math.ceil(len(values) / most) if values else 1
    if width == 1:
        return values
    # From the end, so that the newest group is a whole one and the others do not move.
    start = len(values) % width
    groups = [values[:start]] if start else []
    groups += [values[i : i + width] for i in range(start, len(values), width)]
    known = [[value for value in group if value is not None] for group in groups]
    return [how(group) if group else None for group in known]
