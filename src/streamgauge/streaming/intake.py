"""From chunks to records in merged order: continuity, buffers, back-pressure."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping

from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.cursor import Cursor
from streamgauge.streaming.log import SourceLog
from streamgauge.streaming.merge import Buffer, size, take
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """Retention deleted records that were not read."""


class Intake:
    """What is fetched of one partition number and not processed yet. Topics by full name.

    ``feed`` only queues; ``judge`` and ``take`` belong to the partition's own task.
    """

    def __init__(
        self,
        offsets: Mapping[str, int],
        ends: Mapping[str, int],
        *,
        generation: int,
        log: SourceLog,
        telemetry: WorkerTelemetry,
        max_bytes: int,
        patience: float,
    ) -> None:
        """``offsets`` come in the order of topic ranks."""
        self._cursors = {topic: Cursor(offset) for topic, offset in offsets.items()}
        self._buffers = {topic: Buffer() for topic in offsets}
        self._ends = dict(ends)
        self._generation = generation
        self._log = log
        self._telemetry = telemetry
        self._max_bytes = max_bytes
        self._patience = patience
        #: With their bytes.
        self._inbox: deque[tuple[Chunk, int]] = deque()
        self._inbox_bytes = dict.fromkeys(offsets, 0)
        self._paused: set[str] = set()
        #: Topics that others no longer wait for, until a record of theirs comes.
        self._overdue: set[str] = set()
        self._holding_since: float | None = None

    def feed(self, chunk: Chunk) -> None:
        """Queue a chunk; pause its topic where too much waits."""
        held = size(chunk.records)
        self._inbox.append((chunk, held))
        self._inbox_bytes[chunk.topic] += held
        self._throttle(chunk.topic)

    def position(self, topic: str) -> int:
        """Where to fetch on."""
        return self._cursors[topic].next

    async def judge(self) -> None:
        """Move what continues the log from the inbox to the buffers. Raises ``Overtaken``."""
        while self._inbox:
            chunk, held = self._inbox.popleft()
            self._inbox_bytes[chunk.topic] -= held
            await self._judge(chunk, held)
            self._throttle(chunk.topic)

    async def _judge(self, chunk: Chunk, held: int) -> None:
        cursor = self._cursors[chunk.topic]
        if chunk.generation != self._generation:
            # The fetcher has moved behind records that nobody took.
            self._telemetry.chunks["generation"] += 1
            await self._log.seek(chunk.topic, cursor.next)
            return
        verdict, records = cursor.check(chunk)
        self._telemetry.chunks[verdict] += 1
        if verdict == "hole":
            start = (await self._log.bounds())[chunk.topic].start
            if start > cursor.next:
                missing = start - cursor.next
                raise Overtaken(f"{missing} records of {chunk.topic} were deleted unread")
        if verdict == "seek" or (verdict == "hole" and chunk.base != cursor.next):
            await self._log.seek(chunk.topic, cursor.next)
            return
        if records:
            cursor.taken(records, chunk)
            self._buffers[chunk.topic].extend(records, held)
            self._overdue.discard(chunk.topic)

    def take(self, limit: int) -> list[LogRecord]:
        """Up to ``limit`` records in merged order, as far as the order is certain."""
        for topic, buffer in self._buffers.items():
            buffer.at_end = topic in self._overdue or self._read_to_end(topic)
        records = take(list(self._buffers.values()), limit)
        if records:
            self._holding_since = None
            for topic in self._paused.copy():
                self._throttle(topic)
        else:
            self._lose_patience()
        return records

    def take_all(self) -> list[LogRecord]:
        """Everything that is buffered, for a last step."""
        self._overdue.update(self._buffers)
        return self.take(sum(len(b.records) for b in self._buffers.values()))

    def at_end(self) -> bool:
        """All topics are read to the end of the log, and nothing waits."""
        return not self._inbox and all(
            not buffer.records and self._read_to_end(topic)
            for topic, buffer in self._buffers.items()
        )

    def answered(self) -> float | None:
        """Since when the ends of all topics are known; None while one has not been shown."""
        found = [self._log.answered(topic) for topic in self._buffers]
        times = [at for at in found if at is not None]
        return min(times) if len(times) == len(found) else None

    def answers(self) -> dict[str, float | None]:
        """When the broker last answered, by topic; None where nothing is asked for."""
        return {
            topic: None if topic in self._paused else self._log.answered(topic)
            for topic in self._buffers
        }

    def waiting(self) -> bool:
        return bool(self._inbox)

    def truncated(self) -> str | None:
        """A topic that ends before the position: it was made anew, or cut."""
        for topic, cursor in self._cursors.items():
            if self._end(topic) < cursor.next:
                return topic
        return None

    def lag(self, positions: Mapping[str, int]) -> dict[str, int]:
        """Records in the log that are not processed; ``positions`` are the processed ones."""
        lags = {}
        for topic, buffer in self._buffers.items():
            idle = not buffer.records and not self._inbox_bytes[topic]
            # Markers behind the last record are no lag.
            at = self._cursors[topic].reached if idle else positions[topic]
            lags[topic] = max(0, self._end(topic) - at)
        return lags

    def next_timestamp(self) -> float | None:
        """Broker's time of the oldest record that waits."""
        heads = [b.records[0].timestamp for b in self._buffers.values() if b.records]
        return min((t for t in heads if t is not None), default=None)

    def _read_to_end(self, topic: str) -> bool:
        return not self._inbox_bytes[topic] and self._cursors[topic].reached >= self._end(topic)

    def _end(self, topic: str) -> int:
        live = self._log.end(topic)
        if live is not None:
            self._ends[topic] = live
        return self._ends[topic]

    def _lose_patience(self) -> None:
        """Kafka promises no order between topics: nobody waits for ever for a record to come."""
        if not any(b.records for b in self._buffers.values()):
            self._holding_since = None
            return
        now = time.monotonic()
        if self._holding_since is None:
            self._holding_since = now
        elif now - self._holding_since >= self._patience:
            late = {t for t, b in self._buffers.items() if not b.records and not b.at_end}
            logger.warning(
                "%s: no record for %.1f s, the others go on", sorted(late), self._patience
            )
            self._overdue |= late

    def _throttle(self, topic: str) -> None:
        held = self._buffers[topic].bytes + self._inbox_bytes[topic]
        if held > self._max_bytes and topic not in self._paused:
            self._paused.add(topic)
            self._log.pause(topic)
        elif held < self._max_bytes / 2 and topic in self._paused:
            self._paused.discard(topic)
            self._log.resume(topic)
