"""Prediction ids that come again, estimated from a sample that all of an id's events share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric

#: One id in so many is looked at (a power of two), always the same ones.
ONE_IN = 16
#: Sampled ids that are remembered: the last 65,000 events or so, in 16 KiB of state.
REMEMBERED = 4096


class Sampled(NamedTuple):
    """The sampled rows of a batch, shape (m,), and which of them repeat an id."""

    rows: NDArray[np.intp]
    repeated: NDArray[np.bool_]


class RecentIds:
    """The last sampled ids of a series, oldest first: says which ids were seen before.

    An id is remembered as the CRC-32 that samples it. Two ids that differ share one by chance once
    in 65,000 look-ups, so that is the least ratio of repeats that means anything.

    Parameters
    ----------
    remembered
        Sampled ids that are kept. An id that comes again later than that counts as new.

    Examples
    --------
    >>> recent = RecentIds()
    >>> ids = [f"p{i}" for i in range(400)]
    >>> recent.look(ids).repeated.any(), recent.look(ids).repeated.all()
    (np.False_, np.True_)
    """

    __slots__ = ("_known", "_order", "remembered")

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self.remembered = remembered
        self._order: deque[int] = deque()
        self._known: set[int] = set()

    def look(self, ids: Sequence[str]) -> Sampled:
        """Take ids in log order; return the sampled rows, and which ids came before."""
        sums = np.fromiter(map(crc32, map(str.encode, ids)), dtype=np.uint32, count=len(ids))
        # The checksum is linear: over counted ids its own low bits spread unevenly.
        mixed = (sums * np.uint32(0x9E3779B1)) >> np.uint32(16)
        rows = np.flatnonzero(mixed % np.uint32(ONE_IN) == 0)
        known, order = self._known, self._order
        repeated = []
        for each in sums[rows].tolist():
            repeated.append(each in known)
            if not repeated[-1]:
                known.add(each)
                order.append(each)
                if len(order) > self.remembered:
                    known.discard(order.popleft())
        return Sampled(rows, np.array(repeated, dtype=np.bool_))

    def state(self) -> list[Any]:
        return [self.remembered, np.array(self._order, dtype=np.int64)]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(remembered=state[0])
        made._order = deque(state[1].tolist())
        made._known = set(made._order)
        return made


class Duplicates(Metric, name="duplicates"):
    """Sampled events, and those whose id came before: what ``RecentIds`` said, by span.

    Examples
    --------
    >>> import numpy as np
    >>> d = Duplicates()
    >>> d.update(np.array([False, True, False, False]))
    >>> d.get()
    {'duplicate_ratio': 0.25}
    """

    __slots__ = ("repeated", "sampled")

    def __init__(self) -> None:
        self.sampled = self.repeated = 0

    def update(self, repeated: NDArray[np.bool_] | Iterable[bool]) -> None:
        """Take ``Sampled.repeated`` of the span's rows."""
        flags = np.asarray(repeated, dtype=np.bool_)
        self.sampled += len(flags)
        self.repeated += int(np.count_nonzero(flags))

    def merge(self, other: Self) -> None:
        self.sampled += other.sampled
        self.repeated += other.repeated

    def state(self) -> list[Any]:
        return [self.sampled, self.repeated]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.sampled, made.repeated = state
        return made

    def get(self) -> dict[str, float]:
        return {"duplicate_ratio": self.repeated / self.sampled} if self.sampled else {}
