"""The transport behind ``chunks://``, found by Faust through its entry-point group."""

from __future__ import annotations

from faust.transport.drivers.aiokafka import Transport

from streamgauge.streaming.consumer import ChunkConsumer


class ChunkTransport(Transport):  # type: ignore[misc]
    """aiokafka's transport with a consumer that hands on whole fetches."""

    Consumer = ChunkConsumer
