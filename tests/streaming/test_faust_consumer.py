"""Faust's own consumer, driven without a broker: what the stock code does, and what ours does."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError
from faust.transport.consumer import Consumer
from faust.types import TP

from streamgauge.processing import LogRecord
from streamgauge.streaming.app import build_app
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.consumer import ChunkConsumer, Fetched
from streamgauge.streaming.transport import ChunkTransport
from tests.streaming.fakes import CONFIG, PREDICTIONS

T = TP(PREDICTIONS, 0)


class Owner:
    config = CONFIG

    def __init__(self) -> None:
        self.positions: dict[tuple[str, int], int] = {}

    def position(self, topic: str, partition: int) -> int | None:
        return self.positions.get((topic, partition))


class StubThread:
    """Stands for the thread that runs aiokafka: gives out prepared fetches."""

    beacon = None

    def __init__(self) -> None:
        self.fetches: list[dict[TP, Fetched]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.sought: list[tuple[str, int, int]] = []
        self.consumer = SimpleNamespace(seek=self._seek)

    def _seek(self, tp: Any, offset: int) -> None:
        self.sought.append((tp.topic, tp.partition, offset))

    def _ensure_consumer(self) -> Any:
        return self.consumer

    def assignment(self) -> set[TP]:
        return {T}

    async def call_thread(self, fun: Any, *args: Any) -> Any:
        return await fun(*args)

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, Fetched]:
        await asyncio.sleep(0)
        self.meanwhile()
        return self.fetches.pop(0) if self.fetches else {}


class Driven(ChunkConsumer):
    """The consumer without its thread: that would open an event loop of its own."""

    def _new_consumer_thread(self) -> Any:
        return StubThread()


class Rig:
    def __init__(self, app: Any, owner: Owner) -> None:
        self.app, self.owner = app, owner
        self.messages: list[Any] = []
        self.consumer = Driven(
            app.transport, self._deliver, _nothing, _nothing, loop=asyncio.get_running_loop()
        )
        self.thread: StubThread = self.consumer._thread
        self.owner.positions[T] = 0
        self.consumer._set_active_tps({T})
        self.consumer.resume_flow()
        self.app.consumer_generation_id = 5

    async def _deliver(self, message: Any) -> None:
        self.messages.append(message)

    async def drain(self, *fetches: Fetched) -> list[Chunk]:
        """Let Faust's own fetch loop run until the fetches are used up."""
        self.thread.fetches = [{T: fetch} for fetch in fetches]
        fetcher = SimpleNamespace(_stopped=asyncio.Event())
        loop = asyncio.create_task(self.consumer._drain_messages(fetcher))
        while self.thread.fetches:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        fetcher._stopped.set()
        await asyncio.wait_for(loop, 2)
        return [m.value for m in self.messages]


async def _nothing(*_: Any) -> None: ...


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    owner = Owner()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        app = build_app(CONFIG, owner=owner, take=lambda _chunk: None, data=tmp_path)
        yield Rig(app, owner)


def fetched(*offsets: int, value: bytes | None = b"v") -> Fetched:
    records = [LogRecord(PREDICTIONS, 0, o, 0.001, b"k", (), value) for o in offsets]
    return Fetched(records, offsets[0], offsets[-1] + 1, 10_000)


def acknowledged(app: Any, offsets: list[tuple[int, bool]], gaps: list[tuple[int, int]]) -> Any:
    """A stock consumer that has seen these offsets, and which of them were acknowledged."""
    consumer = Driven(app.transport, _nothing, _nothing, _nothing)
    for begin, end in gaps:
        consumer._gap[T].addi(begin, end + 1)  # what _drain_messages and _add_gap record
    consumer._acked[T] = [offset for offset, acked in offsets if acked]
    return consumer


async def test_stock_faust_commits_past_an_unacknowledged_record(rig: Rig) -> None:
    # Offsets 10, 11, 20, 21 come, 20 is not acknowledged: the gap hides it.
    seen = [(10, True), (11, True), (20, False), (21, True)]
    stock = acknowledged(rig.app, seen, gaps=[(12, 20)])
    assert Consumer._new_offset(stock, T) == 22


async def test_stock_faust_crawls_where_offsets_have_gaps(rig: Rig) -> None:
    offsets = [o for o in range(2200) if o % 11 != 10]
    gaps = [(o, o + 1) for o in range(2200) if o % 11 == 10]
    stock = acknowledged(rig.app, [(o, True) for o in offsets], gaps=gaps)
    commits = [Consumer._new_offset(stock, T) for _ in range(5)]
    assert max(c for c in commits if c) < 100  # of 2,200
    assert len(stock._acked[T]) > 2000


async def test_ours_has_nothing_to_acknowledge_and_nothing_grows(rig: Rig) -> None:
    fetches = [fetched(*range(o, o + 10)) for o in range(0, 22_000, 11)]
    chunks = await rig.drain(*fetches)
    assert sum(len(c.records) for c in chunks) == 20_000
    assert not rig.consumer._acked
    assert not rig.consumer._gap
    assert not rig.consumer._unacked_messages
    assert not rig.app.topics.acks_enabled_for(PREDICTIONS)


async def test_after_a_stale_chunk_the_true_one_still_comes(rig: Rig) -> None:
    # Stock Faust drops the second in silence: its read offset has gone to 300.
    chunks = await rig.drain(fetched(*range(300, 400)), fetched(*range(150, 200)))
    assert [c.records[0].offset for c in chunks] == [300, 150]


async def test_a_tombstone_is_a_record_like_others(rig: Rig) -> None:
    (chunk,) = await rig.drain(fetched(1, 2, value=None))
    assert [r.value for r in chunk.records] == [None, None]


async def test_a_fetch_without_records_tells_how_far_it_got(rig: Rig) -> None:
    (chunk,) = await rig.drain(Fetched([], 7, 9, 9))
    assert (chunk.records, chunk.base, chunk.end_read) == ([], 7, 9)


async def test_a_chunk_bears_the_generation_from_before_its_fetch(rig: Rig) -> None:
    def rebalance() -> None:
        rig.app.consumer_generation_id = 6

    rig.thread.meanwhile = rebalance
    (chunk,) = await rig.drain(fetched(1, 2))
    assert chunk.generation == 5


async def test_a_fetch_that_ends_in_a_rebalance_is_not_handed_on(rig: Rig) -> None:
    rig.thread.meanwhile = rig.consumer.stop_flow
    rig.thread.fetches = [{T: fetched(1, 2)}]
    assert [m async for m in rig.consumer.getmany(1.0)] == []


async def test_the_seek_goes_to_the_worker_never_to_the_commit(rig: Rig) -> None:
    rig.owner.positions[T] = 42
    await rig.consumer.perform_seek()
    assert rig.thread.sought == [(PREDICTIONS, 0, 42)]
    rig.owner.positions.clear()
    assert await rig.consumer.seek_to_committed() == {}


async def test_a_seek_that_comes_after_a_rebalance_ends_nothing(rig: Rig) -> None:
    def gone(*_: Any) -> None:
        raise IllegalStateError("No current assignment for partition")

    rig.thread.consumer.seek = gone
    await rig.consumer.perform_seek()
    await rig.consumer.seek(T, 5)


async def test_what_is_not_loaded_is_not_resumed(rig: Rig) -> None:
    rig.consumer.pause_partitions({T})
    rig.owner.positions.clear()
    rig.consumer.resume_partitions({T})
    assert T not in rig.consumer._get_active_partitions()
    rig.owner.positions[T] = 0
    rig.consumer.resume_partitions({T})
    assert T in rig.consumer._get_active_partitions()


async def test_other_topics_go_the_stock_way(rig: Rig) -> None:
    other = TP("replies", 0)
    record = SimpleNamespace(
        topic="replies", partition=0, offset=3, timestamp=2000, timestamp_type=0, headers=(),
        key=b"k", value=b"v", checksum=None, serialized_key_size=1, serialized_value_size=1,
    )  # fmt: skip
    rig.thread.fetches = [{other: Fetched([record], 3, 4, 4)}]
    messages = [message async for _, message in rig.consumer.getmany(1.0)]
    assert [(m.value, m.timestamp) for m in messages] == [(b"v", 2.0)]
    rig.consumer._read_offset[other] = 9
    rig.consumer._read_offset[T] = 9
    assert (rig.consumer._read_offset[other], rig.consumer._read_offset[T]) == (9, None)


async def test_a_failed_commit_ends_nothing(rig: Rig) -> None:
    from aiokafka.errors import CommitFailedError

    from streamgauge.streaming.consumer import ChunkConsumerThread

    async def refuse(_offsets: Any) -> None:
        raise CommitFailedError

    stub: Any = SimpleNamespace(
        _ensure_consumer=lambda: SimpleNamespace(commit=refuse), assignment=lambda: {T}
    )
    assert await ChunkConsumerThread._commit(stub, {T: 5}) is False


def test_faust_finds_the_transport_by_its_scheme() -> None:
    from faust.transport import by_url

    assert by_url("chunks://localhost:9092") is ChunkTransport


async def test_what_we_use_of_aiokafka_is_still_there() -> None:
    consumer = AIOKafkaConsumer(group_id="g", bootstrap_servers="nowhere:1")
    from aiokafka.consumer import fetcher, subscription_state

    for name in ("_notify", "_create_fetch_waiter"):
        assert hasattr(fetcher.Fetcher, name)
    for name in ("check_assignment", "has_more", "_update_position", "getall"):
        assert hasattr(fetcher.FetchResult, name)
    # Some are made with the object: the source tells of them.
    made = inspect.getsource(fetcher)
    for name in (
        "self._records = ",
        "self._wait_consume_future = ",
        "self._subscriptions = ",
        "self._partition_records = ",
        "self._records_iterator = ",
        "self._closed = ",
    ):
        assert name in made, name
    for name in ("_consume_aborted_up_to", "_contains_abort_marker"):
        assert hasattr(fetcher.PartitionRecords, name)
    for name in (
        "fetch_context",
        "reassignment_in_progress",
        "wait_for_assignment",
        "is_assigned",
    ):
        assert hasattr(type(consumer._subscription), name), name
    assert consumer._closed is False
    state = subscription_state.TopicPartitionState(None)
    for name in ("lso", "highwater", "position", "has_valid_position"):
        assert hasattr(type(state), name) or hasattr(state, name)
    assert hasattr(consumer._subscription, "subscription")
    assert consumer._max_poll_records is None
    await consumer.stop()
