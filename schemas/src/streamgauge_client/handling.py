"""Handling alarms: a thread for each subscription, and an event loop for handlers that want one."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamgauge_client.events import AlarmEvent
from streamgauge_client.subscription import AlarmSubscription

if TYPE_CHECKING:
    import asyncio

    from streamgauge_client.alarm_handlers import Handler

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handled:
    """How many calls of handlers ended well, and how many raised."""

    handled: int
    failed: int


class Handling:
    """Hands alarms over from its beginning until ``stop``. A context manager.

    Leaving it sets ``stop`` and waits until the handlers at work are done.
    """

    def __init__(
        self,
        subscriptions: Sequence[tuple[AlarmSubscription, Sequence[Handler]]],
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._counting = threading.Lock()
        self._handled = 0
        self._failed = 0
        self._broken: BaseException | None = None
        # Daemons, so that a second Ctrl-C ends the process whatever a handler is doing.
        self._threads = [
            threading.Thread(
                target=self._serve, args=pair, name="streamgauge-handlers", daemon=True
            )
            for pair in subscriptions
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: threading.Thread | None = None

    def __enter__(self) -> Handling:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._loop is not None and self._loop_thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
            self._loop.close()

    def result(self) -> Handled:
        """The counts. Raises what ended a thread before its time."""
        if self._broken is not None:
            raise self._broken
        return Handled(self._handled, self._failed)

    def _serve(self, subscription: AlarmSubscription, handlers: Sequence[Handler]) -> None:
        try:
            while not self._stop.is_set():
                # It ends at each silence, and goes on when it is asked again.
                alarm = next(subscription, None)
                if alarm is not None:
                    wanting = [one for one in handlers if one.wanted.wants(alarm)]
                    subscription.settle(all([self._call(one, alarm) for one in wanting]))
        except BaseException as error:
            self._broken = error
            self._stop.set()

    def _call(self, handler: Handler, alarm: AlarmEvent) -> bool:
        """Whether it went well. Exits and interrupts of a handler stop everything."""
        try:
            outcome = handler.function(alarm)
            if inspect.isawaitable(outcome):
                self._await(outcome)
        except Exception:
            with self._counting:
                self._failed += 1
            logger.exception(
                "%s raised on alarm %s; going on (%d so far)",
                getattr(handler.function, "__qualname__", handler.function),
                alarm.alarm_id,
                self._failed,
            )
            return False
        with self._counting:
            self._handled += 1
        return True

    def _await(self, outcome: Any) -> None:
        import asyncio

        async def awaited() -> None:
            await outcome

        with self._counting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop_thread = threading.Thread(
                    target=self._loop.run_forever, name="streamgauge-loop", daemon=True
                )
                self._loop_thread.start()
        asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()
