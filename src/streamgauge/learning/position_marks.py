"""Which offsets belong to a span of log time, remembered at even spaces."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Self

#: Marks that are kept; when they are full every second one goes.
MOST = 512

#: By topic and partition: the next offset.
Offsets = dict[tuple[str, int], int]


class PositionMarks:
    """Positions and label counts at the beginning of every slot of log time.

    A change point is a time, a trainer wants offsets: this is the way from one to the other.
    Memory is bounded: when the marks are full their spacing doubles.

    Parameters
    ----------
    slot_seconds
        Spacing of the marks in log time, at first.
    """

    def __init__(self, slot_seconds: float = 60.0) -> None:
        if not slot_seconds > 0.0:
            raise ValueError(f"slot_seconds is a number above 0, not {slot_seconds!r}")
        self.slot_seconds = slot_seconds
        self.labels = 0
        self._next: Offsets = {}
        #: A partition that a mark does not know began after it, here.
        self._first: Offsets = {}
        self._slot: float | None = None
        #: Time, labels before it, next offsets at it.
        self._marks: list[tuple[float, int, Offsets]] = []

    def observe(self, time: float, topic: str, partition: int, offset: int, labels: int) -> None:
        """Take a record in log order, and how many labels came with it (0 or 1)."""
        slot = time // self.slot_seconds
        where = (topic, partition)
        if where not in self._next:
            self._first[where] = self._next[where] = offset
        if self._slot is None or slot > self._slot:
            self._slot = slot
            self._marks.append((time, self.labels, dict(self._next)))
            if len(self._marks) > MOST:
                self._thin()
        self._next[where] = offset + 1
        self.labels += labels

    def _thin(self) -> None:
        del self._marks[1::2]
        self.slot_seconds *= 2
        self._slot = self._marks[-1][0] // self.slot_seconds

    def labels_since(self, start: float) -> int:
        """Labels after the first mark at or after ``start``; none where there is no such mark."""
        index = self._index(start)
        return 0 if index is None else self.labels - self._marks[index][1]

    def since(self, start: float) -> dict[str, dict[int, tuple[int, int]]]:
        """Offsets by topic and partition, first and end (exclusive), wholly after ``start``.

        A partition that was first seen later begins at its first record.
        """
        index = self._index(start)
        if index is None:
            return {}
        begin = self._marks[index][2]
        found: dict[str, dict[int, tuple[int, int]]] = {}
        for (topic, partition), end in sorted(self._next.items()):
            first = begin.get((topic, partition), self._first[topic, partition])
            if first < end:
                found.setdefault(topic, {})[partition] = (first, end)
        return found

    def _index(self, start: float) -> int | None:
        index = bisect_left(self._marks, start, key=lambda mark: mark[0])
        return index if index < len(self._marks) else None

    def state(self) -> dict[str, Any]:
        def plain(offsets: Offsets) -> list[list[Any]]:
            return [[topic, partition, offset] for (topic, partition), offset in offsets.items()]

        return {
            "slot_seconds": self.slot_seconds,
            "labels": self.labels,
            "slot": self._slot,
            "first": plain(self._first),
            "next": plain(self._next),
            "marks": [[time, labels, plain(offsets)] for time, labels, offsets in self._marks],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        def offsets(rows: list[list[Any]]) -> Offsets:
            return {(topic, partition): offset for topic, partition, offset in rows}

        made = cls(state["slot_seconds"])
        made.labels, made._slot = state["labels"], state["slot"]
        made._first, made._next = offsets(state["first"]), offsets(state["next"])
        made._marks = [(time, labels, offsets(rows)) for time, labels, rows in state["marks"]]
        return made
