"""Continuity and merged order, the parts that need no worker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamgauge.processing import LogRecord
from streamgauge.streaming.chunk import Chunk, log_records
from streamgauge.streaming.cursor import Cursor
from streamgauge.streaming.merge import Buffer, size, take


def record(topic: str, offset: int, timestamp: float | None = 1.0) -> LogRecord:
    return LogRecord(topic, 0, offset, timestamp, b"k", (), b"v")


def chunk(first: int, last: int, base: int | None = None) -> Chunk:
    records = tuple(record("t", offset) for offset in range(first, last + 1))
    return Chunk("t", 0, records, 1, first if base is None else base, last + 1, 1000)


def test_a_later_chunk_is_refused_and_the_position_sought() -> None:
    cursor = Cursor(150)
    assert cursor.check(chunk(300, 399)).verdict == "seek"
    assert cursor.next == 150


def test_of_an_overlapping_chunk_only_the_new_part_is_taken() -> None:
    verdict, records = Cursor(150).check(chunk(100, 199))
    assert verdict == "take"
    assert [r.offset for r in records] == list(range(150, 200))


def test_an_old_chunk_is_dropped_without_a_seek() -> None:
    assert Cursor(150).check(chunk(100, 149)).verdict == "stale"


def test_a_hole_is_a_hole_when_it_is_seen_twice() -> None:
    cursor = Cursor(150)
    assert cursor.check(chunk(160, 170, base=150)).verdict == "seek"
    assert cursor.check(chunk(300, 310)).verdict == "seek"  # another one starts over
    assert cursor.check(chunk(160, 170, base=150)).verdict == "seek"
    verdict, records = cursor.check(chunk(160, 170, base=150))
    assert verdict == "hole"
    cursor.taken(records, chunk(160, 170))
    assert (cursor.next, cursor.reached) == (171, 171)


def test_an_empty_fetch_moves_what_is_reached_only_from_the_position() -> None:
    cursor = Cursor(150)
    assert cursor.check(Chunk("t", 0, (), 1, 300, 400, 400)).verdict == "stale"
    assert cursor.reached == 150
    cursor.check(Chunk("t", 0, (), 1, 150, 152, 152))
    assert (cursor.next, cursor.reached) == (150, 152)


def test_records_of_aiokafka_lose_nothing() -> None:
    class Fetched:
        offset = 7
        timestamp: int | None = -1
        key, headers, value = None, [("h", b"x")], None

    (record,) = log_records("t", 3, [Fetched()])
    assert record == LogRecord("t", 3, 7, None, None, (("h", b"x"),), None)
    Fetched.timestamp = 1500
    assert log_records("t", 3, [Fetched()])[0].timestamp == 1.5


topics = st.lists(
    st.lists(st.one_of(st.none(), st.integers(0, 20)), max_size=15), min_size=1, max_size=4
)


@given(topics, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=60))
def test_merged_order_does_not_depend_on_how_records_arrive(
    stamps: list[list[int | None]], arrivals: list[tuple[int, int]]
) -> None:
    log = [
        [record(f"t{rank}", n, None if s is None else float(s)) for n, s in enumerate(column)]
        for rank, column in enumerate(stamps)
    ]
    whole = [Buffer() for _ in log]
    for buffer, records in zip(whole, log, strict=True):
        buffer.extend(records, size(records))
        buffer.at_end = True
    expected = take(whole, 10_000)
    assert len(expected) == sum(map(len, log))

    # When the same records arrive in pieces, topic by topic
    buffers, left, taken = [Buffer() for _ in log], [list(r) for r in log], list[LogRecord]()
    for topic, n in [*arrivals, *((rank, 10_000) for rank in range(len(log)))]:
        if topic < len(log):
            buffers[topic].extend(left[topic][:n], size(left[topic][:n]))
            del left[topic][:n]
        for buffer, rest in zip(buffers, left, strict=True):
            buffer.at_end = not rest
        taken += take(buffers, n)
    taken += take(buffers, 10_000)
    assert taken == expected
    assert all(buffer.bytes == 0 for buffer in buffers)


def by_heads(buffers: list[Buffer], limit: int) -> list[LogRecord]:
    """The rule itself: always the oldest head, as long as each topic shows one or is at its end."""
    taken: list[LogRecord] = []
    while len(taken) < limit and all(b.records or b.at_end for b in buffers):
        heads = [
            (b.records[0].timestamp or 0.0, rank) for rank, b in enumerate(buffers) if b.records
        ]
        if not heads:
            break
        taken += buffers[min(heads)[1]].take(1)
    return taken


@given(topics, st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 20))
def test_the_oldest_head_goes_first_also_where_times_go_back(
    stamps: list[list[int | None]], at_end: list[bool], limit: int
) -> None:
    pairs: list[list[Buffer]] = []
    for rank, column in enumerate(stamps):
        pairs.append([Buffer(), Buffer()])
        for buffer in pairs[-1]:
            times = [None if s is None else float(s) for s in column]
            buffer.extend([record(f"t{rank}", n, at) for n, at in enumerate(times)], 10)
            buffer.at_end = at_end[rank]
    ours, expected = ([pair[i] for pair in pairs] for i in range(2))
    assert take(ours, limit) == by_heads(expected, limit)
    # And the rest waits in both alike.
    assert [list(b.records) for b in ours] == [list(b.records) for b in expected]
