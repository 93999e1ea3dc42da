"""The worker's own reading of a fetch: record for record what aiokafka makes of it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.processing import LogRecord
from streamgauge.streaming.drain import drain
from tests.streaming.batches import LZ4, NONE, TP, ZSTD, Fetch, Row, batch, marker

THREE = [Row(value=b"0"), Row(value=b"1"), Row(value=b"2")]


def offsets(records: list[LogRecord]) -> list[int]:
    return [record.offset for record in records]


def test_a_record_loses_nothing() -> None:
    row = Row(b"key", None, [("a", b"1"), ("b", None)], at=1500)
    fetch = Fetch(batch(7, [row]), at=7)
    assert fetch.ours() == [
        LogRecord(TP.topic, TP.partition, 7, 1.5, b"key", (("a", b"1"), ("b", b"")), None)
    ]
    assert fetch.position == 8
    assert not fetch._records
    assert fetch.notified == 1


def test_a_part_is_taken_and_the_rest_with_the_next_call() -> None:
    fetch = Fetch(batch(0, THREE) + batch(3, THREE))
    assert offsets(fetch.ours(2)) == [0, 1]
    assert (fetch.position, fetch.notified) == (2, 0)
    assert offsets(fetch.ours(4)) == [2, 3, 4, 5]
    assert (fetch.position, fetch.notified) == (6, 0)
    # Only a call that finds the end knows of it.
    assert fetch.ours(4) == []
    assert (fetch.position, fetch.notified) == (6, 1)


def test_what_lies_before_the_fetch_offset_is_dropped() -> None:
    assert offsets(Fetch(batch(0, THREE), at=2).ours()) == [2]
    assert Fetch(batch(0, THREE), at=3).ours() == []


def test_a_compacted_batch_moves_the_position_behind_what_is_gone() -> None:
    fetch = Fetch(batch(0, THREE, offsets=[1, 4, 5], last=9))
    assert offsets(fetch.ours(3)) == [1, 4, 5]
    assert fetch.position == 6
    assert fetch.ours() == []
    assert fetch.position == 10
    # Also where nothing of it is left.
    empty = Fetch(batch(0, [], last=4) + batch(5, THREE))
    assert offsets(empty.ours()) == [5, 6, 7]


def test_control_batches_are_no_records() -> None:
    data = batch(0, THREE, producer=9, transactional=True) + marker(3, producer=9, abort=False)
    for committed in (True, False):
        fetch = Fetch(data, committed=committed)
        assert offsets(fetch.ours()) == [0, 1, 2]
        assert fetch.position == 4


def test_aborted_transactions_never_happened() -> None:
    data = b"".join(
        [
            batch(0, THREE, producer=9, transactional=True),
            batch(3, THREE, producer=8, transactional=True),
            batch(6, THREE),
            marker(9, producer=9, abort=True),
            batch(10, THREE, producer=9, transactional=True),
            marker(13, producer=9, abort=False),
        ]
    )
    fetch = Fetch(data, aborted=[(9, 0)])
    assert offsets(fetch.ours()) == [3, 4, 5, 6, 7, 8, 10, 11, 12]
    assert fetch.position == 14
    # Who reads the uncommitted is told of no aborted ones, and skips nothing.
    assert len(Fetch(data, committed=False).ours()) == 12


def test_a_damaged_batch_is_an_error_and_what_was_before_it_is_fetched_again() -> None:
    damaged = bytearray(batch(3, THREE))
    damaged[-1] ^= 1
    fetch = Fetch(batch(0, THREE) + bytes(damaged))
    assert offsets(fetch.ours(2)) == [0, 1]
    with pytest.raises(CorruptRecordException, match="Invalid CRC"):
        fetch.ours(2)
    assert fetch.position == 2
    # The next call gives the rest of the fetch up, so that it is asked for anew.
    assert fetch.ours(2) == []
    assert not fetch._records


def test_after_a_seek_or_a_pause_nothing_is_returned() -> None:
    for change in ("position", "paused"):
        fetch = Fetch(batch(0, THREE))
        fetch.ours(1)
        setattr(fetch, change, 2)
        assert fetch.ours() == []
        assert not fetch._records


def test_a_fetch_that_is_used_up_is_freed_at_once() -> None:
    # Megabytes each, and the worker's garbage is collected rarely.
    fetch = Fetch(batch(0, THREE))
    data = weakref.ref(fetch._records[TP]._partition_records._records)
    gc.disable()
    try:
        fetch.ours()
        assert data() is None
    finally:
        gc.enable()


def test_other_topics_and_partitions() -> None:
    # Given three partitions: ours, one of a topic that is not chunked, one that was taken away
    other, gone, idle = (TopicPartition(name, 0) for name in ("other", "gone", "idle"))
    fetch = Fetch(batch(0, THREE))
    fetch._records[other] = Fetch(batch(0, THREE), tp=other)._records[other]
    fetch._records |= {gone: object(), idle: object()}
    fetch.tps |= {other, idle}
    whole: Any = fetch
    drained = drain(whole, {TP, other}, 4, chunked={TP.topic})
    assert offsets(drained[TP]) == [0, 1, 2]
    # Then the other topic's are aiokafka's own, up to the limit of all
    assert [type(record).__name__ for record in drained[other]] == ["ConsumerRecord"]
    assert list(fetch._records) == [other, gone, idle]
    # And what is no longer ours is dropped, what is only not asked for is kept
    drain(whole, {other}, 5, chunked=())
    assert list(fetch._records) == [idle]


def test_what_a_fetch_has_met_is_raised_when_nothing_comes_before_it() -> None:
    denied = TopicPartition("denied", 0)
    fetch = Fetch(batch(0, THREE))
    fetch._records[denied] = FetchError(error=TopicAuthorizationFailedError("denied"), backoff=0)
    whole: Any = fetch
    assert list(drain(whole, {TP, denied}, 9, chunked={TP.topic})) == [TP]
    with pytest.raises(TopicAuthorizationFailedError):
        drain(whole, {TP, denied}, 9, chunked={TP.topic})
    assert not fetch._records


headers = st.lists(
    st.tuples(st.sampled_from(["ce_id", "ce_type", "é", ""]), st.none() | st.binary(max_size=3)),
    max_size=4,
)
rows = st.builds(
    Row,
    key=st.none() | st.sampled_from([b"", b"k", b"key" * 50]),
    value=st.none() | st.binary(max_size=200),
    headers=headers,
    at=st.sampled_from([0, 1, 63, 64, 10_000, 1_790_000_000_000]),
)
#: Records of one producer are mostly alike, and those are read another way.
alike = st.builds(
    lambda row, values, step: [
        row._replace(
            value=v, at=row.at + i * step, headers=[*row.headers, ("n", b"%04d" % (i % 7))]
        )
        for i, v in enumerate(values)
    ],
    rows,
    st.lists(st.binary(max_size=300), min_size=1, max_size=150),
    st.sampled_from([0, 1, 40, 9_000]),
)


@st.composite
def logs(draw: st.DrawFn) -> tuple[bytes, int]:
    """A log of some batches, and the offset of its end."""
    parts, at = [], 0
    for _ in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(rows, max_size=5) | alike)
        steps = draw(st.sampled_from([1, 1, 1, 3]))
        deltas = [i * steps for i in range(len(chosen))]
        last = (deltas[-1] if deltas else 0) + draw(st.sampled_from([0, 0, 2]))
        producer = draw(st.sampled_from([-1, 5, 6]))
        part = batch(
            at,
            chosen,
            offsets=deltas,
            last=last,
            compression=draw(st.sampled_from([NONE, LZ4, ZSTD])),
            producer=producer,
            transactional=producer > 0,
            append_time=draw(st.booleans()),
        )
        parts.append(part)
        at += last + 1
        if producer > 0 and draw(st.booleans()):
            parts.append(marker(at, producer=producer, abort=draw(st.booleans())))
            at += 1
    return b"".join(parts), at


@settings(deadline=None)
@given(logs(), st.data())
def test_whatever_the_log_the_calls_answer_as_aiokafka_does(
    log: tuple[bytes, int], data: st.DataObject
) -> None:
    log_bytes, end = log
    at = data.draw(st.integers(0, end))
    aborted = data.draw(
        st.lists(st.tuples(st.sampled_from([5, 6]), st.integers(0, end)), max_size=3)
    )
    damage = data.draw(st.none() | st.integers(0, len(log_bytes) - 1))
    if damage is not None and not damage % 3:
        log_bytes = log_bytes[:damage] + b"\x80" + log_bytes[damage + 1 :]
    stock, ours = (Fetch(log_bytes, at=at, aborted=aborted) for _ in range(2))
    while stock._records:
        limit = data.draw(st.sampled_from([1, 2, 50, 5000]))
        answers = []
        for call in (stock.stock, ours.ours):
            try:
                answers.append(repr(call(limit)))
            except CorruptRecordException as error:
                answers.append(repr(error))
        assert answers[0] == answers[1]
        assert stock.position == ours.position
        assert stock._records.keys() == ours._records.keys()
