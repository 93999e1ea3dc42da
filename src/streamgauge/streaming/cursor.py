"""Continuity of one topic partition: which records of a chunk come next, if any.

Chunks can be stale (fetched before a seek), overlap the position, or lie behind a hole. Kafka's
own offsets are the only thing that tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import Chunk

Verdict = Literal["take", "seek", "hole", "stale"]


class Check(NamedTuple):
    """What to do with a chunk.

    ``hole``: the same hole again. Retention, or genuine (compaction, a marker) if the fetch began
    exactly at ``next``.
    """

    verdict: Verdict
    records: Sequence[LogRecord] = ()


class Cursor:
    """The next offset to read of one topic partition, and how far the fetcher has got."""

    __slots__ = ("_hole", "next", "reached")

    def __init__(self, offset: int) -> None:
        self.next = offset
        #: Position after the last record, past markers that are no records.
        self.reached = offset
        self._hole: tuple[int, int] | None = None

    def check(self, chunk: Chunk) -> Check:
        """Judge a chunk; changes nothing but the memory of a hole."""
        if not chunk.records:
            if chunk.base == self.next:
                self.reached = max(self.reached, chunk.end_read)
            return Check("stale")
        first = chunk.records[0].offset
        if chunk.records[-1].offset < self.next:
            return Check("stale")
        if first < self.next:
            return Check("take", [r for r in chunk.records if r.offset >= self.next])
        if first == self.next:
            return Check("take", chunk.records)
        # A hole. Seen once, it may be a chunk from before a seek.
        if self._hole == (self.next, first):
            return Check("hole", chunk.records)
        self._hole = (self.next, first)
        return Check("seek")

    def taken(self, records: Sequence[LogRecord], chunk: Chunk) -> None:
        """Move behind the records that were taken."""
        self.next = records[-1].offset + 1
        self.reached = max(self.next, chunk.end_read)
        self._hole = None
