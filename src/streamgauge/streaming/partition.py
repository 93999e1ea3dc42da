"""One partition number over all source topics: the state machine of delivery.

``unassigned → acquiring → loading → running ⇄ paused → draining → unassigned``, and ``refused``
where a person must decide first. Whatever goes wrong with the state, the one recovery is to drop
the session and open another from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from streamgauge.processing import PartitionProcessor, StateError
from streamgauge.state.base import CheckpointStore, StoreAmbiguous, StoreUnavailable
from streamgauge.state.positions import Positions
from streamgauge.streaming import outbox
from streamgauge.streaming.checkpoint import FIRST_PAUSE, LONGEST_PAUSE
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.garbage import collect_soon
from streamgauge.streaming.growth import note_growth
from streamgauge.streaming.guard import Reload
from streamgauge.streaming.idle_clock import IdleClock
from streamgauge.streaming.log import LogUnavailable, SourceLog
from streamgauge.streaming.opening import NotOurs, open_partition, still_member
from streamgauge.streaming.poison import Poison
from streamgauge.streaming.publisher import Publisher, PublishFailed
from streamgauge.streaming.refusal import Refused
from streamgauge.streaming.session import Fenced, Session
from streamgauge.streaming.snapshot_log import SnapshotLog
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)

State = Literal["unassigned", "acquiring", "loading", "running", "paused", "draining", "refused"]
#: How long a refused partition waits before it looks whether a person has decided.
REFUSED_SECONDS = 10.0


class PartitionWorker:
    """Runs one partition number from its assignment to its revocation."""

    def __init__(
        self,
        number: int,
        *,
        generation: int,
        config: WorkerConfig,
        store: CheckpointStore,
        log: SourceLog,
        snapshots: SnapshotLog | None,
        publisher: Publisher,
        processor_factory: Callable[[int], PartitionProcessor],
        clock: Callable[[], float],
        telemetry: WorkerTelemetry,
        idle: IdleClock,
    ) -> None:
        self.number = number
        self.generation = generation
        self._config = config
        self._store = store
        self._log = log
        self._snapshots = snapshots
        self._publisher = publisher
        self._factory = processor_factory
        self._clock = clock
        self._totals = telemetry
        self._telemetry = telemetry.partition(number)
        self._poison = Poison()
        self._idle = idle
        #: Alarms of refusals that were published.
        self._said: set[str] = set()
        self._session: Session | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._enter("unassigned")

    @property
    def state(self) -> str:
        return self._telemetry.state

    @property
    def failure(self) -> BaseException | None:
        """What ended it, if it should not have ended."""
        task = self._task
        return task.exception() if task and task.done() and not task.cancelled() else None

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = asyncio.create_task(self._run(), name=f"partition-{self.number}")

    def feed(self, chunk: Chunk) -> None:
        """Take a chunk. What comes before the session is stale: opening seeks."""
        if self._session is not None:
            self._session.feed(chunk)

    def position(self, topic: str) -> int | None:
        """Where to fetch a topic; None while that is not known, and nothing is to be fetched."""
        return self._session.intake.position(topic) if self._session else None

    def lag(self) -> dict[str, int]:
        """Records in the log that are not processed, by topic; empty while nothing is known."""
        return self._session.lag() if self._session else {}

    def report(self) -> None:
        """Bring the telemetry up to date."""
        if self._session is not None:
            self._session.report()

    async def drain(self, deadline: float) -> None:
        """REVOKE, and stop: finish the step, write a last checkpoint, drop memory."""
        if self._task is None:
            return
        self._stopping = True
        if self._session is not None:
            self._enter("draining")
            self._session.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await asyncio.wait([self._task])
        await self.lose()

    async def lose(self) -> None:
        """LOST: drop memory at once, write nothing."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._stopping:
                try:
                    self._session = await self._open()
                    self._resume()
                    pause = FIRST_PAUSE
                    await self._session.serve()
                    return
                except Reload as why:
                    logger.warning("partition %d starts again: %s", self.number, why)
                    await asyncio.sleep(FIRST_PAUSE)
                except Fenced:
                    if not await self._may_return():
                        return
                except NotOurs as why:
                    logger.warning("%s; it is given up", why)
                    return
                except Refused as why:
                    await self._drop()
                    await self._refuse(why)
                except StateError as why:
                    await self._wait_refused(f"the stored state can't be read: {why}")
                except (StoreUnavailable, StoreAmbiguous, LogUnavailable) as error:
                    if not isinstance(error, LogUnavailable):
                        self._totals.redis_errors["unavailable"] += 1
                    await self._wait_paused(error, pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                finally:
                    await self._drop()
        finally:
            self._enter("unassigned")

    async def _open(self) -> Session:
        self._enter("acquiring")
        for topic in self._config.topics:
            self._log.pause(topic)
        opened = await open_partition(
            self.number,
            generation=self.generation,
            config=self._config,
            store=self._store,
            log=self._log,
            snapshots=self._snapshots,
            load=self._load,
        )
        note_growth(opened, self._log.partitions(), group=self._config.group)
        if opened.base.lost:
            self._totals.state_restored += opened.beginning.restored
            self._totals.state_lost += not opened.beginning.restored
        for name, offset in opened.beginning.offsets.items():
            # Always, also where Kafka's commit is equal or ahead.
            await self._log.seek(self._config.full(name), offset)
        where = Positions(opened.base.checkpoint, opened.beginning.offsets)
        logger.info("partition %d runs from %s", self.number, where.text)
        return Session(
            self.number,
            opened,
            generation=self.generation,
            config=self._config,
            store=self._store,
            log=self._log,
            snapshots=self._snapshots,
            publisher=self._publisher,
            clock=self._clock,
            telemetry=self._totals,
            poison=self._poison,
            idle=self._idle,
            store_away=self._on_store_away,
        )

    def _load(self, blobs: Mapping[str, bytes]) -> PartitionProcessor:
        self._enter("loading")
        processor = self._factory(self.number)
        processor.restore(blobs)
        return processor

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            collect_soon()

    def _resume(self) -> None:
        self._enter("running")
        for topic in self._config.topics:
            self._log.resume(topic)

    def _on_store_away(self, why: str) -> None:
        # While a checkpoint waits nothing is processed; fetching pauses when the buffers are full.
        if why and self.state == "running":
            self._enter("paused", why)
        elif not why and self.state == "paused":
            self._enter("running")

    async def _wait_paused(self, error: Exception, seconds: float) -> None:
        self._enter("paused", str(error))
        logger.warning(
            "partition %d can't start: %s; next try in %.1f s", self.number, error, seconds
        )
        await asyncio.sleep(seconds)

    async def _may_return(self) -> bool:
        """Fenced: a zombie stays away; the owner by Kafka's word (a failover) opens again."""
        try:
            member = await still_member(
                self.number, config=self._config, store=self._store, log=self._log
            )
        except (StoreUnavailable, StoreAmbiguous, LogUnavailable):
            member = True  # opening asks again, and lets no zombie in
        logger.warning(
            "partition %d was taken by another owner; %s",
            self.number,
            "Kafka says it is ours, so it is opened again" if member else "it is given up",
        )
        await asyncio.sleep(FIRST_PAUSE)
        return member

    async def _refuse(self, why: Refused) -> None:
        # Not through the store: a refused partition writes none. Not again for the same cause.
        if why.alarm.alarm_id not in self._said:
            topic, service = self._config.alarms, self._config.service
            _, payload = outbox.entry(why.alarm, topic=topic, service=service)
            with contextlib.suppress(PublishFailed):
                await self._publisher.publish([*why.letters, outbox.unpacked(payload)])
                self._said.add(why.alarm.alarm_id)
        await self._wait_refused(str(why))

    async def _wait_refused(self, why: str) -> None:
        self._enter("refused", why)
        logger.error("partition %d is refused: %s", self.number, why)
        await asyncio.sleep(REFUSED_SECONDS)

    def _enter(self, state: State, reason: str = "") -> None:
        self._telemetry.state, self._telemetry.reason = state, reason
