"""A worker over a broker and a store: what goes in is counted, what must leave leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer

from services.stack.redis_server import EmbeddedRedis
from streamgauge.state.base import CheckpointStore
from streamgauge.state.memory import MemoryStore
from streamgauge.state.positions import Positions
from streamgauge.state.redis import RedisStore
from streamgauge.streaming import WorkerConfig, WorkerError, WorkerTelemetry, run_worker
from tests.integration import oracle
from tests.integration.conftest import REAL, Kafka
from tests.streaming.counting import EVERY, CountingProcessor

PARTS = ["embedded+fake", pytest.param("real+real", marks=REAL)]


@pytest.fixture(params=PARTS)
def parts(request: pytest.FixtureRequest) -> tuple[Kafka, str]:
    broker, store = request.param.split("+")
    url: str = request.getfixturevalue(f"{store}_redis")
    return request.getfixturevalue(f"{broker}_kafka"), url


def config(kafka: Kafka, prefix: str) -> WorkerConfig:
    return WorkerConfig(
        bootstrap_servers=kafka.bootstrap_servers,
        group=prefix,
        prefix=prefix,
        checkpoint_min_seconds=0.1,
    )


@contextlib.asynccontextmanager
async def working(
    config: WorkerConfig, store: CheckpointStore
) -> AsyncIterator[tuple[WorkerTelemetry, asyncio.Task[None]]]:
    telemetry, stop = WorkerTelemetry(), asyncio.Event()
    task = asyncio.create_task(
        run_worker(
            config,
            processor_factory=CountingProcessor,
            store=store,
            telemetry=telemetry,
            stop=stop,
        )
    )
    try:
        yield telemetry, task
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool], seconds: float = 30.0, what: object = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


def settled(telemetry: WorkerTelemetry, records: int) -> bool:
    parts = telemetry.partitions.values()
    counted = sum(sum(p.counts.values()) for p in parts)
    return counted == records and not any(p.outbox_entries for p in parts)


async def states(store: CheckpointStore, partitions: int) -> dict[tuple[int, str], dict[str, int]]:
    return {
        (number, model): json.loads(blob)
        for number in range(partitions)
        for model, blob in (await store.load(number)).blobs.items()
    }


async def test_everything_is_counted_over_a_restart(parts: tuple[Kafka, str], prefix: str) -> None:
    kafka, url = parts
    kafka.create_topics(prefix)
    store = RedisStore(url, prefix)
    for _ in oracle.load(kafka.bootstrap_servers, prefix, 4000, seed=1):
        pass
    first = oracle.single_pass(kafka.bootstrap_servers, prefix, EVERY)
    async with working(config(kafka, prefix), store) as (telemetry, _):
        await until(lambda: settled(telemetry, first.records), what=telemetry)
        started = time.monotonic()
    assert time.monotonic() - started < 5

    for _ in oracle.load(kafka.bootstrap_servers, prefix, 1000, seed=2):
        pass
    both = oracle.single_pass(kafka.bootstrap_servers, prefix, EVERY)
    async with working(config(kafka, prefix), store) as (telemetry, _):
        await until(lambda: settled(telemetry, both.records), what=telemetry)
        assert all(p.conservation_difference == 0 for p in telemetry.partitions.values())

    assert await states(store, 4) == both.states
    alarms, dead = oracle.published(kafka.bootstrap_servers, prefix)
    assert (len(alarms), set(alarms)) == (len(both.alarms), both.alarms)
    assert (len(dead), set(dead)) == (len(both.dead), both.dead)
    for number in range(4):
        position = Positions.parse((await store.holder(number))[2])
        assert all(position.offsets[n] == end for (n, p), end in both.ends.items() if p == number)
    await store.close()


@pytest.mark.integration
@pytest.mark.usefixtures("real_redis")
async def test_a_redis_that_dies_pauses_the_worker_and_nothing_is_lost(
    embedded_kafka: Kafka, prefix: str, tmp_path: Path
) -> None:
    kafka = embedded_kafka
    kafka.create_topics(prefix)
    load = oracle.load(kafka.bootstrap_servers, prefix, 3000, seed=3)
    with contextlib.ExitStack() as servers:
        redis = servers.enter_context(EmbeddedRedis("real", directory=tmp_path))
        port, store = int(redis.url.split(":")[2].split("/")[0]), RedisStore(redis.url, prefix)
        async with working(config(kafka, prefix), store) as (telemetry, _):
            await until(lambda: telemetry.ready)
            for number in load:
                if number == 1500:
                    break
            await until(lambda: telemetry.checkpoints["ok"] > 0)
            # When Redis dies, and comes back with what it had written down
            os.kill(redis.pid, signal.SIGKILL)
            for _ in load:
                pass
            await until(lambda: any(p.state == "paused" for p in telemetry.partitions.values()))
            servers.enter_context(EmbeddedRedis("real", directory=tmp_path, port=port))
            expected = oracle.single_pass(kafka.bootstrap_servers, prefix, EVERY)
            await until(lambda: settled(telemetry, expected.records), what=telemetry)
            await until(lambda: telemetry.ready)
        # Then state and alarms are those of an undisturbed pass.
        assert await states(store, 4) == expected.states
        alarms, _dead = oracle.published(kafka.bootstrap_servers, prefix)
        assert set(alarms) == expected.alarms
        await store.close()


@pytest.mark.integration
async def test_aborted_transactions_never_happened_and_markers_are_holes(
    real_kafka: Kafka, prefix: str
) -> None:
    real_kafka.create_topics(prefix, partitions=1)
    producer = Producer(
        {
            "bootstrap.servers": real_kafka.bootstrap_servers,
            "transactional.id": prefix,
            "log_level": 3,
        }
    )
    producer.init_transactions(20)
    store = MemoryStore()
    async with working(config(real_kafka, prefix), store) as (telemetry, _):
        for number in range(12):
            producer.begin_transaction()
            for _ in range(10):
                producer.produce(f"{prefix}.predictions", key="m", value=b"%d" % number)
            producer.flush(10)  # or an abort would throw them away before they are sent
            if number % 3 == 2:
                producer.abort_transaction(10)
            else:
                producer.commit_transaction(10)
            await asyncio.sleep(0.05)
        await until(lambda: settled(telemetry, 80), what=telemetry)
        part = telemetry.partitions[0]
        # Up to the last committed record: ten markers and thirty aborted records.
        assert part.holes == 40
        assert part.conservation_difference == 0
        await until(lambda: not any(part.lag_records.values()), what=part)
    expected = oracle.single_pass(real_kafka.bootstrap_servers, prefix, EVERY)
    assert await states(store, 1) == expected.states


@pytest.mark.integration
async def test_unequal_partition_counts_are_refused(real_kafka: Kafka, prefix: str) -> None:
    counts = {f"{prefix}.{name}": 2 for name in ("labels", "feedback", "models")}
    real_kafka.create_topics(prefix, partitions={**counts, f"{prefix}.predictions": 3})
    with pytest.raises(WorkerError, match="unequal partition counts"):
        async with working(config(real_kafka, prefix), MemoryStore()) as (_, task):
            await asyncio.wait([task], timeout=20)


@pytest.mark.integration
async def test_topics_that_are_missing_are_waited_for(
    real_kafka: Kafka, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(config(real_kafka, prefix), MemoryStore()) as (telemetry, _):
        await until(lambda: "waiting for topics" in caplog.text)
        real_kafka.create_topics(prefix, partitions=2)
        await until(lambda: telemetry.ready)


async def test_the_answers_of_an_idle_broker_let_time_pass(kafka: Kafka, prefix: str) -> None:
    kafka.create_topics(prefix)
    made: list[CountingProcessor] = []

    def processor(partition: int) -> CountingProcessor:
        made.append(CountingProcessor(partition))
        return made[-1]

    stop = asyncio.Event()
    task = asyncio.create_task(
        run_worker(
            config(kafka, prefix), processor_factory=processor, store=MemoryStore(), stop=stop
        )
    )
    # Each partition number ticks again and again, behind the clock.
    await until(lambda: len(made) == 4 and all(len(p.advanced) >= 5 for p in made), what=made)
    assert max(p.advanced[-1] for p in made) <= time.time() - 1.0
    assert min(p.advanced[-1] for p in made) > time.time() - 10.0
    stop.set()
    await task


async def test_a_broker_that_is_not_there_is_named(
    unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = WorkerConfig(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}", group="g")
    async with working(replace(nowhere, service="x"), MemoryStore()):
        await until(lambda: f"no Kafka at 127.0.0.1:{unused_tcp_port}" in caplog.text)
