"""Record batches as they lie in the log, made by aiokafka's own builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import log_records
from streamgauge.streaming.drain import drain
from streamgauge.streaming.header_names import ReadableRecords

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
_CONTROL, _APPEND_TIME = 0x20, 0x08
TP = TopicPartition("streamgauge.predictions", 3)


class Row(NamedTuple):
    """What a producer gives of one record."""

    key: bytes | None = b"k"
    value: bytes | None = b"v"
    headers: Sequence[tuple[str, bytes | None]] = ()
    at: int = 1000


def batch(
    base: int,
    rows: Sequence[Row],
    *,
    offsets: Sequence[int] | None = None,
    last: int | None = None,
    compression: int = NONE,
    producer: int = -1,
    transactional: bool = False,
    control: bool = False,
    append_time: bool = False,
) -> bytes:
    """A batch of records at ``offsets`` behind ``base``; ``last`` where compaction took the end."""
    builder = DefaultRecordBatchBuilder(2, compression, transactional, producer, 0, 0, 1 << 24)
    offsets = range(len(rows)) if offsets is None else offsets
    for offset, row in zip(offsets, rows, strict=True):
        builder.append(offset, row.at, row.key, row.value, list(row.headers))
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    data[22] |= _CONTROL * control | _APPEND_TIME * append_time
    last = (offsets[-1] if offsets else 0) if last is None else last
    data[23:27] = last.to_bytes(4, "big")
    return sealed(data)


def marker(base: int, *, producer: int, abort: bool) -> bytes:
    """The end of a transaction."""
    key = b"\x00\x00" + (b"\x00\x00" if abort else b"\x00\x01")
    row = Row(key, b"\x00" * 6)
    return batch(base, [row], producer=producer, transactional=True, control=True)


def sealed(data: bytearray) -> bytes:
    """With the length and the check sum that fit."""
    data[8:12] = (len(data) - 12).to_bytes(4, "big")
    data[17:21] = calc_crc32c(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)


class Fetch:
    """What one fetch brought, as a fetcher holds it. Aborted ones are (producer, first offset)."""

    def __init__(
        self,
        data: bytes,
        *,
        at: int = 0,
        aborted: Sequence[tuple[int, int]] = (),
        committed: bool = True,
        tp: TopicPartition = TP,
        records: Any = ReadableRecords,
    ) -> None:
        self.position, self.active, self.paused, self.notified = at, True, False, 0
        self.tps, self.tp, self._wait_consume_future = {tp}, tp, None
        part = fetcher.PartitionRecords(
            tp, records(data), list(aborted), at, None, None, True, int(committed)
        )
        result = fetcher.FetchResult(tp, assignment=self, partition_records=part, backoff=0)
        self._records: dict[Any, Any] = {tp: result}
        self._subscriptions = self

    def state_value(self, _tp: Any) -> Fetch:
        return self

    def is_assigned(self, tp: Any) -> bool:
        return tp in self.tps

    def consumed_to(self, position: int) -> None:
        self.position = position

    def _notify(self, _future: Any) -> None:
        self.notified += 1

    def stock(self, limit: int = 5000) -> list[LogRecord]:
        """A call as aiokafka's own fetcher answers it, and what was made of that before."""
        result = self._records[self.tp]
        found = result.getall(limit)
        if not result.has_more():
            del self._records[self.tp]
        return log_records(self.tp.topic, self.tp.partition, found)

    def ours(self, limit: int = 5000) -> list[LogRecord]:
        """The same call as the worker's consumer answers it."""
        return drain(self, {self.tp}, limit, chunked={self.tp.topic}).get(self.tp, [])
