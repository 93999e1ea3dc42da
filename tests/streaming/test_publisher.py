"""What Kafka does not take is an error that is counted, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError

from streamgauge.streaming import publisher
from streamgauge.streaming.publisher import KafkaPublisher, Outgoing, PublishFailed
from streamgauge.streaming.telemetry import WorkerTelemetry

RECORD = Outgoing("alarms", b"m", (), b"v")


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_record_that_kafka_does_not_take_is_counted(
    at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = WorkerTelemetry()
    publisher = KafkaPublisher("127.0.0.1:1", "test", telemetry=telemetry)

    async def send(*_: object, **__: object) -> asyncio.Future[None]:
        if at_once:
            raise KafkaTimeoutError
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acknowledged.set_exception(KafkaError("no leader"))
        return acknowledged

    monkeypatch.setattr(publisher._producer, "send", send)
    with pytest.raises(PublishFailed):
        await publisher.publish([RECORD])
    assert telemetry.producer_errors == 1
    await publisher.stop()


async def test_every_record_is_acknowledged_by_all_replicas_and_comes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[str, object] = {}
    monkeypatch.setattr(publisher, "AIOKafkaProducer", lambda **options: made.update(options))
    KafkaPublisher("127.0.0.1:1", "test", telemetry=WorkerTelemetry())
    assert (made["acks"], made["enable_idempotence"]) == ("all", True)
    # A record near the sources' limit, and the headers that say why it is dead, fit.
    assert made["max_request_size"] == 4 * 1024 * 1024
