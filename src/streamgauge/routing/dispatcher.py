"""Brings alarms to one sink: in order for each cause, tried again within bounds, and once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from streamgauge.alarms.notice import printable
from streamgauge.alarms.sinks.base import AlarmSink, Delivery
from streamgauge.routing.retrying import Patience
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry.notifications import (
    NOTIFICATION_RETRIES,
    NOTIFICATIONS,
    NOTIFICATIONS_WAITING,
    OUTCOMES,
)
from streamgauge_client.events import AlarmEvent

logger = logging.getLogger(__name__)

#: Alarms under way to one sink at the same time; of one fingerprint it is always one.
MAX_AT_ONCE = 4
#: Seconds that attempts under way are waited for at the end: a little more than a post may take.
GRACE_SECONDS = 6.0


class Memory(Protocol):
    """What was delivered; ``state.notified`` has it."""

    async def knows(self, sink: str, alarm_id: str) -> bool: ...

    async def add(self, sink: str, alarm_id: str) -> None: ...


class Silenced(Protocol):
    """Of what nobody wants to hear for a while; ``state.silences`` has it."""

    async def covers(self, fingerprint: str, alarm_id: str) -> bool: ...


@dataclass(eq=False, slots=True)
class _Entry:
    alarm: AlarmEvent
    source: int
    done: Callable[[], None]
    taken: float
    #: Set where it is no longer ours: somebody else will read it again.
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Dispatcher:
    """Everything between the log and one sink, but reading. Use it from one event loop.

    Parameters
    ----------
    name, sink
        The sink, and what the configuration calls it.
    patience
        When an alarm is given up.
    memory
        Which alarms this sink has had.
    silences
        Which are to be kept from every sink; None for none.
    """

    def __init__(
        self,
        name: str,
        sink: AlarmSink,
        *,
        patience: Patience,
        memory: Memory,
        telemetry: Telemetry,
        silences: Silenced | None = None,
    ) -> None:
        self.name = name
        self._sink = sink
        self._patience = patience
        self._memory = memory
        self._silences = silences
        self._telemetry = telemetry
        self._queues: dict[str, deque[_Entry]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        #: Why the newest attempt failed; empty while all is well.
        self._failure = ""
        self._given_up = 0
        for outcome in OUTCOMES:
            telemetry.declare(NOTIFICATIONS, sink=name, outcome=outcome)
        telemetry.declare(NOTIFICATION_RETRIES, sink=name)
        telemetry.set(NOTIFICATIONS_WAITING, 0, sink=name)

    @property
    def waiting(self) -> int:
        """Alarms that were taken and are not yet settled."""
        return sum(len(queue) for queue in self._queues.values())

    def trouble(self) -> str | None:
        """What there is to say while the newest attempt has failed, for ``/readyz``."""
        if not self._failure:
            return None
        counts = f"{self.waiting} alarms waiting, {self._given_up} given up"
        return f"sink {self.name} does not take alarms ({counts}): {self._failure}"

    def submit(self, alarm: AlarmEvent, done: Callable[[], None], *, source: int = 0) -> None:
        """Take an alarm. ``done`` is called once, when the sink has it or it was given up.

        ``source`` is the partition that it came from.
        """
        entry = _Entry(alarm, source, done, time.monotonic())
        queue = self._queues.get(alarm.fingerprint)
        if queue is not None:
            queue.append(entry)
        else:
            self._queues[alarm.fingerprint] = queue = deque([entry])
            task = asyncio.create_task(self._drain(alarm.fingerprint, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._show_waiting()

    def drop(self, sources: Collection[int] | None = None) -> None:
        """Let go of what came from these partitions (None: all). ``done`` is not called for it."""
        for queue in self._queues.values():
            for entry in queue:
                if sources is None or entry.source in sources:
                    entry.gone.set()

    async def close(self, *, grace: float = GRACE_SECONDS) -> None:
        """Let go of everything, once the attempts under way have ended."""
        self.drop()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _drain(self, fingerprint: str, queue: deque[_Entry]) -> None:
        try:
            while queue:
                if not queue[0].gone.is_set():
                    await self._guarded(queue[0])
                queue.popleft()
                self._show_waiting()
        finally:
            del self._queues[fingerprint]
            self._show_waiting()

    async def _guarded(self, entry: _Entry) -> None:
        try:
            await self._deliver(entry)
        except Exception:
            # Not settled, so the next start reads it again; the alarms behind it go on.
            logger.exception("sink %s: an alarm is left behind by a defect", self.name)
            self._failure = "a defect, see the log"

    async def _deliver(self, entry: _Entry) -> None:
        alarm_id = entry.alarm.alarm_id
        if not self._sink.wants(entry.alarm):
            entry.done()
            return
        if await self._memory.knows(self.name, alarm_id):
            self._telemetry.count(NOTIFICATIONS, sink=self.name, outcome="duplicate")
            entry.done()
            return
        if await self._silenced(entry.alarm):
            self._telemetry.count(NOTIFICATIONS, sink=self.name, outcome="silenced")
            entry.done()
            return
        retrying = self._patience.retrying(
            age=lambda: time.monotonic() - entry.taken,
            before_wait=self._will_retry,
            sleep=lambda seconds: _sleep(seconds, unless=entry.gone),
        )
        delivery: Delivery = await retrying(self._attempt, entry)
        if delivery.delivered:
            self._failure = ""
            self._telemetry.count(NOTIFICATIONS, sink=self.name, outcome="delivered")
            await self._memory.add(self.name, alarm_id)
        elif entry.gone.is_set():
            return
        else:
            self._give_up(entry, delivery)
        entry.done()

    async def _silenced(self, alarm: AlarmEvent) -> bool:
        # That somebody acknowledged or silenced it is itself to be heard.
        if self._silences is None or alarm.status not in ("firing", "resolved"):
            return False
        return await self._silences.covers(alarm.fingerprint, alarm.alarm_id)

    async def _attempt(self, entry: _Entry) -> Delivery:
        if entry.gone.is_set():
            return Delivery(False, reason="left to the next reader")
        async with self._at_once:
            try:
                return await self._sink.send(entry.alarm)
            except Exception as error:
                # A defect of the sink; the next alarm may be another matter, the same one is not.
                logger.exception("sink %s failed on an alarm", self.name)
                return Delivery(False, reason=f"a defect: {type(error).__name__}")

    def _will_retry(self, delivery: Delivery) -> None:
        if not self._failure:
            logger.warning("sink %s: %s; trying again", self.name, printable(delivery.reason))
        self._failure = delivery.reason
        self._telemetry.count(NOTIFICATION_RETRIES, sink=self.name)

    def _give_up(self, entry: _Entry, delivery: Delivery) -> None:
        outcome = "expired" if delivery.recoverable else "refused"
        self._failure = delivery.reason
        self._given_up += 1
        self._telemetry.count(NOTIFICATIONS, sink=self.name, outcome=outcome)
        logger.error(
            "sink %s: alarm %s is given up (%s): %s. It said: %s",
            self.name,
            printable(entry.alarm.alarm_id),
            outcome,
            printable(delivery.reason),
            printable(entry.alarm.summary),
        )

    def _show_waiting(self) -> None:
        self._telemetry.set(NOTIFICATIONS_WAITING, self.waiting, sink=self.name)


async def _sleep(seconds: float, *, unless: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(unless.wait(), seconds)
