"""What Kafka does not take is an error that is counted, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError

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
