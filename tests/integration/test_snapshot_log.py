"""Where snapshots lie, on a broker: what is written last is what is read."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.stack.ports import free_port
from streamgauge.state.memory import MemoryStore
from streamgauge.streaming import WorkerTelemetry
from streamgauge.streaming.log import LogUnavailable
from streamgauge.streaming.publisher import KafkaPublisher
from streamgauge.streaming.snapshot import PART_BYTES, Entry
from streamgauge.streaming.snapshot_log import KafkaSnapshotLog
from tests.integration import oracle
from tests.integration.conftest import Kafka
from tests.integration.test_worker import config, settled, states, until, working
from tests.streaming.counting import EVERY


@contextlib.asynccontextmanager
async def snapshots(kafka: Kafka, prefix: str) -> AsyncIterator[KafkaSnapshotLog]:
    servers = kafka.bootstrap_servers
    publisher = KafkaPublisher(servers, "test", telemetry=WorkerTelemetry())
    await publisher.start()
    topic = f"{prefix}.snapshots"
    try:
        yield KafkaSnapshotLog(servers, "test", topic=topic, partitions=4, publisher=publisher)
    finally:
        await publisher.stop()


async def test_the_newest_value_of_every_key_is_read(kafka: Kafka, prefix: str) -> None:
    kafka.create_topics(prefix)
    async with snapshots(kafka, prefix) as log:
        assert await log.read(1, b"g/1/") == {}
        # Given a part as large as they come, values that are replaced, and other partitions'
        large = bytes(PART_BYTES)
        await log.write(1, [Entry(b"g/1/0/0", large), Entry(b"g/1/0", b"first")])
        await log.write(5, [Entry(b"g/5/0", b"in the same partition of the topic")])
        await log.write(2, [Entry(b"g/2/0", b"in another one")])
        await log.write(1, [Entry(b"g/1/1", b"other slot"), Entry(b"g/1/0", b"second")])
        found = await log.read(1, b"g/1/")
        assert dict(found) == {b"g/1/0/0": large, b"g/1/1": b"other slot", b"g/1/0": b"second"}
        assert await log.read(5, b"g/5/") == {b"g/5/0": b"in the same partition of the topic"}


async def test_a_broker_that_is_away_is_said() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    publisher = KafkaPublisher(nowhere, "test", telemetry=WorkerTelemetry())
    log = KafkaSnapshotLog(nowhere, "test", topic="t", partitions=4, publisher=publisher)
    with pytest.raises(LogUnavailable, match="does not give t"):
        await log.read(0, b"g/0/")
    await publisher.stop()


async def test_a_store_that_is_wiped_between_two_workers_is_restored(
    kafka: Kafka, prefix: str
) -> None:
    kafka.create_topics(prefix)
    settings = replace(config(kafka, prefix), snapshot_seconds=0.2)
    for _ in oracle.load(kafka.bootstrap_servers, prefix, 3000, seed=5):
        pass
    first = oracle.single_pass(kafka.bootstrap_servers, prefix, EVERY)
    async with working(settings, MemoryStore()) as (telemetry, _):
        await until(lambda: settled(telemetry, first.records), what=telemetry)
        await until(
            lambda: all(any(p.committed.values()) for p in telemetry.partitions.values()),
            what=telemetry,
        )
        assert sorted(telemetry.partitions) == [0, 1, 2, 3]
        # Not left to the farewell, which has two seconds for all of them.
        await until(
            lambda: (
                telemetry.snapshots["ok"] >= 4
                and all(p.unsaved_since is None for p in telemetry.partitions.values())
            ),
            what=telemetry,
        )
    # When the next one finds a store with nothing in it
    for _ in oracle.load(kafka.bootstrap_servers, prefix, 500, seed=6):
        pass
    both = oracle.single_pass(kafka.bootstrap_servers, prefix, EVERY)
    empty = MemoryStore()
    async with working(settings, empty) as (telemetry, _):
        await until(lambda: settled(telemetry, both.records), what=telemetry)
    assert (telemetry.state_restored, telemetry.state_lost) == (4, 0)
    assert await states(empty, 4) == both.states
    alarms, _dead = oracle.published(kafka.bootstrap_servers, prefix)
    assert set(alarms) == both.alarms


@pytest.mark.integration
async def test_a_missing_topic_is_said_once_and_the_work_goes_on(
    real_kafka: Kafka, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    sources = ("predictions", "labels", "feedback", "models", "alarms", "dead-letters")
    real_kafka.create_topics(prefix, partitions={f"{prefix}.{name}": 2 for name in sources})
    settings = replace(config(real_kafka, prefix), snapshot_seconds=0.1)
    for _ in oracle.load(real_kafka.bootstrap_servers, prefix, 300, seed=7):
        pass
    async with working(settings, MemoryStore()) as (telemetry, _):
        await until(lambda: telemetry.ready and telemetry.checkpoints["ok"] > 1)
        await until(lambda: any(p.snapshot_age() > 0 for p in telemetry.partitions.values()))
    assert caplog.text.count("so no snapshots") == 1
    assert "python -m services.stack.topics" in caplog.text
    assert sum(telemetry.snapshots.values()) == 0
