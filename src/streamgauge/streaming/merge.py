"""One order over several topics: by (record timestamp, topic rank, offset).

A topic that is read to its end does not hold the others up; one that is not, does, because its
next record may belong before theirs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import accumulate, chain, islice, repeat
from operator import attrgetter

from streamgauge.processing import LogRecord

_key, _value = attrgetter("key"), attrgetter("value")


class Buffer:
    """Records of one topic that wait to be taken, in offset order."""

    __slots__ = ("at_end", "bytes", "records")

    def __init__(self) -> None:
        self.records: deque[LogRecord] = deque()
        self.bytes = 0
        #: Nothing more is in the log for now. Set by the owner before each ``take``.
        self.at_end = False

    def extend(self, records: Sequence[LogRecord], held: int) -> None:
        """Put records behind; ``held`` are the bytes of their keys and values."""
        self.records.extend(records)
        self.bytes += held

    def take(self, n: int) -> list[LogRecord]:
        """The first ``n`` records, or all."""
        n, pop = min(n, len(self.records)), self.records.popleft
        # Their share: what is held back by it need not be told to the byte.
        self.bytes -= self.bytes * n // max(len(self.records), 1)
        return [pop() for _ in range(n)]


def take(buffers: Sequence[Buffer], limit: int) -> list[LogRecord]:
    """Up to ``limit`` records in merged order, as far as the order is certain.

    Buffers come in rank order. Within a topic the offset decides, also where timestamps go back.
    """
    if any(not buffer.records and not buffer.at_end for buffer in buffers):
        return []
    filled = [buffer for buffer in buffers if buffer.records]
    if len(filled) < 2:
        return filled[0].take(limit) if filled else []
    waiting = [list(islice(buffer.records, limit)) for buffer in filled]
    # A record goes no earlier than those before it, so it is as old as the newest of them. A stable
    # sort of that keeps ranks and offsets, and is ten times cheaper than a look at each head.
    ages = list(chain.from_iterable(accumulate(map(_stamp, each), max) for each in waiting))
    order = sorted(range(len(ages)), key=ages.__getitem__)[:limit]
    end = 0
    for buffer, records in zip(filled, waiting, strict=True):
        end += len(records)
        # Behind its last one may belong what has not come yet.
        last = end - 1
        if not buffer.at_end and len(records) == len(buffer.records) and last in order:
            del order[order.index(last) + 1 :]
    owners = list(chain.from_iterable(map(repeat, filled, map(len, waiting))))
    for buffer, n in Counter(map(owners.__getitem__, order)).items():
        buffer.take(n)
    every = list(chain.from_iterable(waiting))
    return list(map(every.__getitem__, order))


def _stamp(record: LogRecord) -> float:
    # A record without a time has no place among the others: it goes first.
    return record.timestamp or 0.0


def size(records: Sequence[LogRecord]) -> int:
    """Bytes of keys and values."""
    keys, values = filter(None, map(_key, records)), filter(None, map(_value, records))
    return sum(map(len, keys)) + sum(map(len, values))
