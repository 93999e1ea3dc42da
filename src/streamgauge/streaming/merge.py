"""One order over several topics: by (record timestamp, topic rank, offset).

A topic that is read to its end does not hold the others up; one that is not, does, because its
next record may belong before theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile

from streamgauge.processing import LogRecord


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
    taken: list[LogRecord] = []
    while len(taken) < limit:
        heads = [(_stamp(b.records[0]), rank) for rank, b in enumerate(buffers) if b.records]
        if not heads or any(not b.records and not b.at_end for b in buffers):
            break
        heads.sort()
        rank, left = heads[0][1], limit - len(taken)
        source = buffers[rank]
        if len(heads) > 1:
            # A run up to the next topic's head.
            before = takewhile(lambda r: (_stamp(r), rank) <= heads[1], source.records)  # noqa: B023
            left = sum(1 for _ in islice(before, left))
        taken += source.take(left)
    return taken


def _stamp(record: LogRecord) -> float:
    # A record without a time has no place among the others: it goes first.
    return 0.0 if record.timestamp is None else record.timestamp


def size(records: Iterable[LogRecord]) -> int:
    """Bytes of keys and values."""
    return sum(len(r.key or b"") + len(r.value or b"") for r in records)
