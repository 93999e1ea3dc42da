"""The Faust app: one agent over all source topics, and everything off that we don't use."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Mapping
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables.manager import TableManager

from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.consumer import ChunkOwner


class NoTables(TableManager):  # type: ignore[misc]
    """Faust's manager of tables, of which we have none."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Begin at once: Faust sleeps a second here before anything is subscribed to."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


def build_app(
    config: WorkerConfig, *, owner: ChunkOwner, take: Callable[[Chunk], None], data: Path
) -> Any:
    """An app whose only agent gives every chunk to ``take``."""
    brokers = [f"chunks://{server.strip()}" for server in config.bootstrap_servers.split(",")]
    app = faust.App(
        config.group,
        broker=brokers,
        # Its own producer starts too, although nobody sends by it.
        broker_credentials=_credentials(config.security),
        loop=asyncio.get_running_loop(),
        datadir=data,
        store="memory://",
        # No endpoints without authentication, no stray topics, no right to create any.
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # Faust's own waiting on a rebalance has no deadline; the worker's has.
        stream_wait_empty=False,
        TableManager=NoTables,
        # Counts chunks, not records.
        stream_buffer_maxsize=4,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=config.max_partition_fetch_bytes,
        consumer_group_instance_id=config.instance_id or "",
        broker_max_poll_records=config.max_poll_records,
        broker_session_timeout=config.session_timeout_seconds,
        broker_heartbeat_interval=config.heartbeat_interval_seconds,
        broker_rebalance_timeout=config.rebalance_timeout_seconds,
        broker_max_poll_interval=config.max_poll_interval_seconds,
    )
    app.chunk_owner = owner
    # Acknowledgements are off: Faust's lose data around gaps, and the worker commits itself.
    source = app.topic(*config.topics, acks=False, key_serializer="raw", value_serializer="raw")

    async def chunks(stream: AsyncIterable[Chunk]) -> None:
        async for chunk in stream:
            take(chunk)

    app.agent(source, name="chunks", concurrency=1)(chunks)
    return app


def _credentials(security: Mapping[str, Any]) -> Any:
    """The same as Faust has them."""
    if "sasl_mechanism" in security:
        return SASLCredentials(
            username=security["sasl_plain_username"],
            password=security["sasl_plain_password"],
            mechanism=security["sasl_mechanism"],
            ssl_context=security.get("ssl_context"),
        )
    return SSLCredentials(security["ssl_context"]) if "ssl_context" in security else None
