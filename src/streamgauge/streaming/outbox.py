"""The outbox: alarms and model events leave only after the checkpoint that holds them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

import msgpack

from streamgauge.processing import StateError
from streamgauge.state.base import CheckpointStore, StoreAmbiguous, StoreUnavailable
from streamgauge.streaming.publisher import Outgoing, Publisher, PublishFailed
from streamgauge.streaming.telemetry import PartitionTelemetry
from streamgauge_client.codec import encode, source_uri
from streamgauge_client.events import AlarmEvent, Event

logger = logging.getLogger(__name__)


def entry(event: Event, *, topic: str, service: str) -> tuple[str, bytes]:
    """An outbox entry: its id, the same at every replay, and what is to be produced."""
    time_of = event.ends_at or event.starts_at if isinstance(event, AlarmEvent) else None
    encoded = encode(event, source=source_uri(service), time=time_of)
    event_id = dict(encoded.headers)["ce_id"].decode()
    key = str(getattr(event, "model", "")).encode()
    packed = msgpack.packb([topic, key, encoded.headers, encoded.value])
    assert isinstance(packed, bytes)
    return event_id, packed


def unpacked(payload: bytes) -> Outgoing:
    """The record in an outbox entry."""
    try:
        topic, key, headers, value = msgpack.unpackb(payload)
        return Outgoing(topic, key, tuple((name, content) for name, content in headers), value)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StateError(f"an outbox entry is damaged: {error}") from error


class Outbox:
    """Publishes the durable entries of one partition number, in order, for as long as it takes.

    In a task of its own: with Kafka away, checkpoints go on. An entry may leave twice (a crash
    between the acknowledgement and its removal); its id is the same, and readers drop it.
    """

    def __init__(
        self,
        partition: int,
        store: CheckpointStore,
        publisher: Publisher,
        telemetry: PartitionTelemetry,
    ) -> None:
        self._partition = partition
        self._store = store
        self._publisher = publisher
        self._telemetry = telemetry
        self._pending: dict[str, Outgoing] = {}
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._task = asyncio.create_task(self._run(), name=f"outbox-{partition}")

    def add(self, entries: Mapping[str, bytes]) -> None:
        """Take entries that are durable now."""
        for key, payload in entries.items():
            self._pending.setdefault(key, unpacked(payload))
        if self._pending:
            self._empty.clear()
            self._arrived.set()
            self._telemetry.outbox_since = self._telemetry.outbox_since or time.monotonic()
        self._telemetry.outbox_entries = len(self._pending)

    def __len__(self) -> int:
        """Entries that wait."""
        return len(self._pending)

    async def emptied(self) -> None:
        """Wait until everything has left."""
        await self._empty.wait()

    async def close(self) -> None:
        """Stop publishing. What has not left stays in the store for the next owner."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = 0.1
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch = dict(self._pending)
            try:
                await self._publisher.publish(list(batch.values()))
                await self._store.published(self._partition, list(batch))
            except (PublishFailed, StoreUnavailable, StoreAmbiguous) as error:
                logger.warning(
                    "outbox of partition %d: %s; %d entries wait, next try in %.1f s",
                    self._partition,
                    error,
                    len(self._pending),
                    pause,
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                self._arrived.set()
                continue
            pause = 0.1
            self._remove(list(batch))

    def _remove(self, ids: Sequence[str]) -> None:
        for key in ids:
            del self._pending[key]
        self._telemetry.outbox_entries = len(self._pending)
        if not self._pending:
            self._telemetry.outbox_since = None
            self._empty.set()
