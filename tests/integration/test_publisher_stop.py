"""A producer whose broker is gone ends all the same."""

from __future__ import annotations

import asyncio
import time

from services.stack.broker import EmbeddedBroker
from streamgauge.streaming import WorkerTelemetry
from streamgauge.streaming.publisher import KafkaPublisher, Outgoing

RECORD = Outgoing("streamgauge.alarms", b"m", (), b"v")


async def test_a_stop_does_not_wait_for_a_broker_that_is_gone() -> None:
    # Given a record that was sent, and given up, while Kafka was away
    with EmbeddedBroker() as broker:
        publisher = KafkaPublisher(broker.bootstrap_servers, "test", telemetry=WorkerTelemetry())
        await publisher.start()
        await publisher.publish([RECORD])
    sending = asyncio.create_task(publisher.publish([RECORD]))
    await asyncio.sleep(0.5)
    assert not sending.done()
    sending.cancel()
    # When the worker ends
    begun = time.monotonic()
    await publisher.stop()
    # Then it does not take until Kafka is back.
    assert time.monotonic() - begun < 5.0
