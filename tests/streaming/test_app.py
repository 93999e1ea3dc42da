"""The Faust app has everything off that loses, leaks or exposes something."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import replace
from importlib.metadata import requires, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types.enums import ProcessingGuarantee

from streamgauge.streaming.app import build_app
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.consumer import ChunkConsumerThread
from tests.streaming.fakes import CONFIG, PREDICTIONS

STATIC = replace(CONFIG, instance_id="monitor-0")


@pytest.fixture
async def app(tmp_path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield build_app(STATIC, owner=SimpleNamespace(config=STATIC), take=print, data=tmp_path)


async def test_the_baseline_of_the_configuration(app: Any) -> None:
    conf = app.conf
    # No endpoints without authentication, no stray topics, no right to create any
    assert (conf.web_enabled, conf.topic_allow_declare, conf.topic_disable_leader) == (
        False,
        False,
        True,
    )
    # Faust's wait on a rebalance has no deadline; its buffers count chunks, which are large
    assert conf.stream_wait_empty is False
    assert conf.stream_buffer_maxsize <= 4
    assert conf.consumer_max_fetch_size == 4 * 1024 * 1024
    # A dead worker is noticed in seconds, and one that restarts is the same member
    times = (conf.broker_session_timeout, conf.broker_heartbeat_interval)
    assert times == (10, 3)
    assert conf.consumer_group_instance_id == "monitor-0"
    # At least once: Faust's exactly once is not, and only logs its errors
    assert conf.processing_guarantee is ProcessingGuarantee.AT_LEAST_ONCE
    assert conf.consumer_auto_offset_reset == "earliest"


async def test_one_agent_takes_raw_chunks_and_acknowledges_nothing(app: Any) -> None:
    (agent,) = app.agents.values()
    # More than one would acknowledge out of order
    assert (agent.concurrency, agent.isolated_partitions) == (1, False)
    source = agent.channel
    assert set(source.topics) == set(CONFIG.topics)
    # What Faust can't decode it would acknowledge and forget
    assert (source.key_serializer, source.value_serializer) == ("raw", "raw")
    assert source.acks is False


async def test_no_chunk_is_taken_but_by_the_worker(tmp_path: Path) -> None:
    taken: list[Chunk] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        app = build_app(
            CONFIG, owner=SimpleNamespace(config=CONFIG), take=taken.append, data=tmp_path
        )
    chunk = Chunk(PREDICTIONS, 0, (), 1, 0, 0, 0)

    async def stream() -> Any:
        yield chunk

    (agent,) = app.agents.values()
    await agent.fun(stream())
    assert taken == [chunk]


@pytest.fixture
async def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the group's own consumer is made with."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(
        "streamgauge.streaming.consumer.AIOKafkaConsumer", lambda **o: found.update(o)
    )
    owner = SimpleNamespace(app=SimpleNamespace(chunk_owner=SimpleNamespace(config=STATIC)))
    transport = SimpleNamespace(url=[], default_port=9092)
    ChunkConsumerThread._create_worker_consumer(owner, transport)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return found


async def test_the_consumer_reads_what_is_committed_and_commits_nothing_itself(
    made: dict[str, Any],
) -> None:
    # Aborted transactions never happened; positions are the store's
    assert made["isolation_level"] == "read_committed"
    assert made["enable_auto_commit"] is False
    assert made["auto_offset_reset"] == "earliest"


async def test_the_consumer_is_a_static_member_that_is_missed_in_ten_seconds(
    made: dict[str, Any],
) -> None:
    assert made["group_instance_id"] == "monitor-0"
    assert (made["session_timeout_ms"], made["heartbeat_interval_ms"]) == (10_000, 3_000)
    assert (made["rebalance_timeout_ms"], made["max_poll_interval_ms"]) == (20_000, 60_000)


async def test_the_same_numbers_of_all_topics_go_to_one_member(made: dict[str, Any]) -> None:
    (assignor,) = made["partition_assignment_strategy"]
    assert assignor.name == "range"


async def test_a_fetch_is_bounded(made: dict[str, Any]) -> None:
    assert made["max_partition_fetch_bytes"] == 4 * 1024 * 1024
    assert made["max_poll_records"] == STATIC.max_poll_records


def test_faust_does_not_judge_whether_a_partition_moves() -> None:
    # Its own check takes a broker's restart for a stall, and is blind to chunks.
    thread: Any = SimpleNamespace()
    assert ChunkConsumerThread.verify_event_path(thread, 0.0, None) is None  # type: ignore[func-returns-value]


def test_the_libraries_whose_inside_we_use_are_pinned() -> None:
    needed = requires("streamgauge") or []
    assert any(each.startswith("aiokafka==0.14.") for each in needed)
    # Before it, every rebalance failed without opentracing.
    assert tuple(map(int, version("faust-streaming").split("."))) >= (0, 15, 3)
    assert any(each.startswith("faust-streaming>=0.15.3") for each in needed)


def test_the_consumers_thread_does_not_keep_a_process_alive() -> None:
    # With Kafka frozen it hangs in its farewell to the group, long after everything is durable.
    assert ChunkConsumerThread.Worker(SimpleNamespace()).daemon


async def test_nothing_waits_for_tables_that_are_not_there(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that whoever sleeps would sleep for ever
    tables, done = app.tables, []

    async def sleep(*_: Any) -> None:
        await asyncio.Event().wait()

    async def ready() -> None:
        done.append("recovery")

    monkeypatch.setattr(tables, "sleep", sleep)
    monkeypatch.setattr(tables, "_update_channels", ready)
    monkeypatch.setattr(tables, "_recovery", SimpleNamespace(start=ready))
    # When the app starts, its tables are ready at once: a worker that restarts is back a second
    # sooner
    async with asyncio.timeout(5):
        await tables.on_start()
    assert done == ["recovery", "recovery"]
