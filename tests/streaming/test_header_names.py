"""One record with a strange header must not end the reading of its partition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import memory_records
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchPy

from streamgauge.batch.decode import decode
from streamgauge.processing import DeadLetter
from streamgauge.streaming import dead_letters, header_names
from streamgauge.streaming.chunk import log_records
from streamgauge.streaming.header_names import ReadableRecords, read_any_header_name
from tests.streaming.fakes import PREDICTIONS

GZIP, NONE = 1, 0
Header = tuple[str, bytes | None]


def batch(base: int, *headers: list[Header], compression: int = NONE) -> bytes:
    """A record batch as it lies in the log; the name ``-`` becomes a byte that is no UTF-8."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
    for offset, each in enumerate(headers):
        builder.append(offset, 1000 + offset, b"k", b"v%d" % offset, each)
    built = bytearray(builder.build())
    built[:8] = base.to_bytes(8, "big")
    return bytes(built.replace(b"\x02-", b"\x02\xff"))


def read(data: bytes) -> list[Any]:
    """What aiokafka's own fetcher makes of it."""
    records = fetcher.MemoryRecords(data)
    tp = TopicPartition(PREDICTIONS, 0)
    return list(fetcher.PartitionRecords(tp, records, [], 0, None, None, False, 1))


STRANGE = batch(0, [("a", b"1")]) + batch(5, [("b", b"2")], [("-", b"3"), ("c", b"4")], [])


def test_stock_aiokafka_raises_at_a_name_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiokafka.record.memory_records import MemoryRecords

    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        read(STRANGE)


def test_ours_reads_it_and_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    read_any_header_name()
    found = [(r.offset, r.value, r.headers) for r in read(STRANGE)]
    assert found == [
        (0, b"v0", (("a", b"1"),)),
        (5, b"v0", (("b", b"2"),)),
        (6, b"v1", ((r"\xff", b"3"), ("c", b"4"))),
        (7, b"v2", ()),
    ]


def test_also_in_a_compressed_batch() -> None:
    import gzip

    # Given a batch whose records were compressed with the strange byte in them
    plain = batch(3, [("-", b"1")], [("b", b"2")])
    data = bytearray(plain[:61] + gzip.compress(plain[61:]))
    data[22] |= GZIP
    data[8:12] = (len(data) - 12).to_bytes(4, "big")
    records = ReadableRecords(bytes(data))
    assert [r.headers for r in records.next_batch()] == [[(r"\xff", b"1")], [("b", b"2")]]
    assert not records.has_next()


def test_also_without_aiokafkas_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = memory_records._MemoryRecordsPy
    monkeypatch.setattr(header_names, "MemoryRecords", plain)
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", _DefaultRecordBatchPy)
    monkeypatch.setattr(fetcher, "MemoryRecords", ReadableRecords)
    assert [r.offset for r in read(STRANGE)] == [0, 5, 6, 7]


def test_what_is_damaged_stays_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", ReadableRecords)
    data = bytearray(STRANGE)
    data[-1] ^= 1  # the last record claims to have headers
    with pytest.raises(CorruptRecordException):
        read(bytes(data))


async def test_every_consumer_of_the_worker_reads_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from streamgauge.streaming.consumer import ChunkConsumerThread
    from streamgauge.streaming.probe import LogProbe
    from tests.streaming.fakes import CONFIG

    makers: list[Callable[[], Any]] = [
        lambda: LogProbe("nowhere:1", "probe")._consumer,
        lambda: ChunkConsumerThread._create_worker_consumer(
            SimpleNamespace(app=SimpleNamespace(chunk_owner=SimpleNamespace(config=CONFIG))),  # type: ignore[arg-type]
            SimpleNamespace(url=[], default_port=9092),
        ),
    ]
    for make in makers:
        monkeypatch.setattr(fetcher, "MemoryRecords", None)
        consumer = make()
        assert fetcher.MemoryRecords is ReadableRecords
        await consumer.stop()


def test_a_header_without_a_value_is_an_empty_one_and_can_be_dead_lettered() -> None:
    # Given a record that is refused, with a header that has no value at all, as Kafka allows
    (fetched,) = read(batch(0, [("x", None), ("streamgauge_attempt", None)]))
    (record,) = log_records(PREDICTIONS, 0, [fetched])
    assert record.headers == (("x", b""), ("streamgauge_attempt", b""))
    taken = decode(record)
    assert isinstance(taken, DeadLetter)
    # Then its dead letter can be written
    letter = dead_letters.outgoing(taken, topic="dead", service="monitor")
    assert all(isinstance(content, bytes) for _, content in letter.headers)
