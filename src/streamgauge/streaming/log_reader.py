"""What one fetch brought of a topic partition, read as our records, a batch at a time.

The same rules as aiokafka's own ``PartitionRecords``, which makes an object of its own of every
record, in a frame of Python for each: that costs as much again as reading them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException

from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import log_records


class LogReader:
    """Stands where aiokafka keeps its ``PartitionRecords``, of which nothing was read yet."""

    def __init__(self, tp: TopicPartition, part: Any) -> None:
        self._tp = tp
        self._part = part
        # Not begun, and a cycle: it would keep the whole fetch, megabytes, until a late collection.
        part._records_iterator = None
        #: Where the next fetch is to begin, as aiokafka asks for it.
        self.next_fetch_offset: int = part.next_fetch_offset
        self._batches = self._unpack()
        #: Of the batch that was begun, because a call had room for a part of it.
        self._left: list[LogRecord] = []

    def take(self, limit: int) -> list[LogRecord]:
        """The next records, at most ``limit``; fewer where the fetch brought no more."""
        taken: list[LogRecord] = []
        while len(taken) < limit:
            batch = self._left or next(self._batches, [])
            if not batch:
                break
            room = limit - len(taken)
            taken += batch[:room]
            self._left = batch[room:]
            self.next_fetch_offset = taken[-1].offset + 1
        return taken

    def _unpack(self) -> Iterator[list[LogRecord]]:
        """Records of one batch after the other. Ends for good where it raises."""
        part, batches = self._part, self._part._records
        while batches.has_next():
            batch = batches.next_batch()
            if part._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not (self._is_aborted(batch) or batch.is_control_batch):
                records = log_records(self._tp.topic, self._tp.partition, batch)
                if records := self._due(records):
                    yield records
            # Also where nothing was in it: the last of its records may have been compacted away.
            self.next_fetch_offset = batch.next_offset

    def _is_aborted(self, batch: Any) -> bool:
        """It belongs to a transaction that never happened. To be asked of each batch in order."""
        part, producer = self._part, batch.producer_id
        if part._isolation_level != READ_COMMITTED or producer is None:
            return False
        part._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and part._contains_abort_marker(batch):
            part._aborted_producers.discard(producer)
        return batch.is_transactional and producer in part._aborted_producers

    def _due(self, records: list[LogRecord]) -> list[LogRecord]:
        """Those that were asked for: a batch comes whole, wherever the fetch begins in it."""
        following = self.next_fetch_offset
        if not records or records[0].offset < following or not _ascend(records):
            due = []
            for record in records:
                if record.offset >= following:
                    due.append(record)
                    following = record.offset + 1
            return due
        return records


def _ascend(records: list[LogRecord]) -> bool:
    first = records[0].offset
    return [record.offset for record in records] == list(range(first, first + len(records)))
