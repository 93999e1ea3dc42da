"""One sink's own way: its consumer group, its reading thread, its dispatcher."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal

from confluent_kafka import KafkaException

from streamgauge.routing.alarm_log import AlarmLog, Reassigned
from streamgauge.routing.dispatcher import Dispatcher
from streamgauge.routing.positions import Place
from streamgauge_client import AlarmEvent, AlarmSubscription
from streamgauge_client.alarm_filter import STATUSES, AlarmFilter

logger = logging.getLogger(__name__)

#: Alarms that were read and wait for the sink; Kafka keeps the rest.
MAX_WAITING = 200
#: Seconds of one look into the log, and after Kafka refused us.
POLL_SECONDS = 0.5
AGAIN_SECONDS = 2.0

#: Makes the log; it is given whom to tell about partitions that went away.
OpenLog = Callable[[Callable[[list[int]], None]], AlarmLog]
Severity = Literal["info", "warning", "critical"]


class Route:
    """Reads alarms and hands them to one sink, until told to stop.

    Each sink has a consumer group of its own. So none waits for another, what one has not taken
    stays in Kafka and not in memory, and a sink that is new begins at its own beginning.

    Parameters
    ----------
    severity
        The least that goes this way.
    models
        Names or patterns; none means every model.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        open_log: OpenLog,
        *,
        severity: Severity = "info",
        models: Sequence[str] = (),
    ) -> None:
        self.dispatcher = dispatcher
        self._open_log = open_log
        self._severity: Severity = severity
        self._models = tuple(models)
        self._log: AlarmLog | None = None
        self._error = ""

    def trouble(self) -> str | None:
        """Why alarms do not come through at this moment; None while they do."""
        name = self.dispatcher.name
        if self._error:
            return f"sink {name} can't read alarms: {self._error}"
        if self._log is None or not self._log.assigned:
            return f"sink {name} waits for the alarms topic"
        return self.dispatcher.trouble()

    async def run(self, stop: asyncio.Event) -> None:
        """Read and deliver. Returns after ``stop``, with everything settled committed."""
        # A thread of its own: a consumer is one thread's, and others' must not take its turn.
        with ThreadPoolExecutor(1, thread_name_prefix=f"alarms-{self.dispatcher.name}") as thread:
            while not stop.is_set():
                try:
                    await self._follow(thread, stop)
                except KafkaException as error:
                    self._error = error.args[0].str()
                    logger.warning(
                        "sink %s can't read alarms: %s; trying on",
                        self.dispatcher.name,
                        self._error,
                    )
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)

    async def _follow(self, thread: ThreadPoolExecutor, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()

        def lost(partitions: list[int]) -> None:
            loop.call_soon_threadsafe(self.dispatcher.drop, partitions)

        log = self._log = await loop.run_in_executor(thread, self._open_log, lost)
        subscription = self._subscription(log)
        try:
            while not stop.is_set():
                full = self.dispatcher.waiting >= MAX_WAITING
                try:
                    taken = await loop.run_in_executor(thread, _next, subscription, log, full)
                except Reassigned:
                    # A new one, because the old one takes what is read again for duplicates.
                    subscription = self._subscription(log)
                    continue
                self._error = ""
                if taken is not None:
                    alarm, place = taken
                    done = partial(log.done, place)
                    self.dispatcher.submit(alarm, done, source=place.partition)
        finally:
            self._log = None
            # In this order: what ends well within the grace is still committed.
            await self.dispatcher.close()
            await loop.run_in_executor(thread, log.close)

    def _subscription(self, log: AlarmLog) -> AlarmSubscription:
        wanted = AlarmFilter.of(status=STATUSES, severity=self._severity, where=self._concerns)
        return AlarmSubscription(log, wanted=wanted, timeout=POLL_SECONDS)

    def _concerns(self, alarm: AlarmEvent) -> bool:
        return not self._models or any(fnmatchcase(alarm.model, one) for one in self._models)


def _next(
    subscription: AlarmSubscription, log: AlarmLog, full: bool
) -> tuple[AlarmEvent, Place] | None:
    log.hold_back(full)
    alarm = next(subscription, None)
    return None if alarm is None else (alarm, log.hold())
