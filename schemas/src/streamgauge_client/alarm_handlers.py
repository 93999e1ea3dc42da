"""Handlers of alarms: functions that are called for each alarm they ask for."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

from streamgauge_client.alarm_filter import AlarmFilter, OneOrSeveral
from streamgauge_client.events import AlarmEvent
from streamgauge_client.handling import Handled, Handling
from streamgauge_client.since import SinceGiven, check_group
from streamgauge_client.subscription import AlarmSubscription, alarms

H = TypeVar("H", bound=Callable[[AlarmEvent], Any])
#: Seconds between two looks at whether to stop, and of silence after which a thread looks.
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, the alarms it wants, and where it begins."""

    function: Callable[[AlarmEvent], Any]
    wanted: AlarmFilter
    since: SinceGiven
    group: str | None


class AlarmHandlers:
    """A collection of handlers; ``on_alarm`` and ``run`` of this package are those of one."""

    def __init__(self) -> None:
        self._handlers: list[Handler] = []

    @overload
    def on_alarm(self, function: H, /) -> H: ...

    @overload
    def on_alarm(
        self,
        function: None = None,
        /,
        *,
        model: OneOrSeveral = None,
        kind: OneOrSeveral = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        status: OneOrSeveral = None,
        where: Callable[[AlarmEvent], object] | None = None,
        since: SinceGiven = "latest",
        group: str | None = None,
    ) -> Callable[[H], H]: ...

    def on_alarm(
        self,
        function: H | None = None,
        /,
        *,
        model: OneOrSeveral = None,
        kind: OneOrSeveral = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        status: OneOrSeveral = None,
        where: Callable[[AlarmEvent], object] | None = None,
        since: SinceGiven = "latest",
        group: str | None = None,
    ) -> Any:
        """Have ``run`` call a function, ``def`` or ``async def``, for each alarm it asks for.

        The parameters are those of ``alarms``. Handlers of one ``group`` each get every alarm
        of the group that they ask for, and must begin at the same place. The function itself
        stays what it is, so tests can call it.
        """
        wanted = AlarmFilter.of(
            model=model, kind=kind, severity=severity, status=status, where=where
        )
        check_group(group, since)

        def register(function: H) -> H:
            if not callable(function):
                raise TypeError(f"on_alarm decorates functions, not a {type(function).__name__}")
            if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
                raise TypeError(f"{function.__qualname__} is a generator: nobody would iterate it")
            self._handlers.append(Handler(function, wanted, since, group))
            return function

        return register if function is None else register(function)

    def run(
        self,
        bootstrap_servers: str | None = None,
        *,
        topic_prefix: str | None = None,
        kafka: Mapping[str, Any] | None = None,
        stop: threading.Event | None = None,
    ) -> Handled:
        """Hand alarms to the handlers until SIGTERM, SIGINT, or ``stop``. Returns the counts.

        On a signal, handlers that are at work finish, and what they handled is committed; a
        second signal takes its usual course. Outside of the main thread only ``stop`` stops.

        A handler that raises is logged and counted, and the next alarm follows. Its alarm isn't
        committed by itself: where it is the last of its partition, the group gets it again after
        a restart; where a later one was handled, that one's commit passes it, and it won't come
        again. So alarms are handed over at least once, and a handler that must not miss any
        retries by itself. After a crash up to five seconds of handled alarms come again.

        Raises what a subscription raised that could not go on.
        """
        if not self._handlers:
            raise RuntimeError("there are no handlers; decorate a function with @on_alarm(…)")
        _check_not_in_a_loop()
        groups = self._by_subscription()
        stop = stop or threading.Event()
        opened: list[tuple[AlarmSubscription, list[Handler]]] = []
        try:
            for (group, _), handlers in groups.items():
                subscription = alarms(
                    bootstrap_servers,
                    since=handlers[0].since,
                    group=group,
                    timeout=_LOOK_SECONDS,
                    topic_prefix=topic_prefix,
                    kafka=kafka,
                )
                opened.append((subscription, handlers))
            with _signals() as received, Handling(opened, stop) as handling:
                while not received and not stop.wait(_LOOK_SECONDS):
                    pass
        finally:
            for subscription, _ in opened:
                subscription.close()
        return handling.result()

    def _by_subscription(self) -> dict[tuple[str | None, str], list[Handler]]:
        """Two members of one group in a process would each see half of its alarms."""
        found: dict[tuple[str | None, str], list[Handler]] = {}
        for handler in self._handlers:
            found.setdefault((handler.group, repr(handler.since)), []).append(handler)
        groups = [group for group, _ in found if group is not None]
        for group in groups:
            if groups.count(group) > 1:
                raise ValueError(
                    f"handlers of group {group!r} begin at different places; "
                    "give all the same since"
                )
        return found


def _check_not_in_a_loop() -> None:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("run() would block the event loop; use `async for alarm in alarms(…)`")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that came; after the first, the next has its usual effect."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(number: int, frame: object) -> None:
        # Nothing with a lock in here: it may be the one that the interrupted code holds.
        received.append(number)
        restore()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield received
    finally:
        restore()


_handlers = AlarmHandlers()
on_alarm = _handlers.on_alarm
run = _handlers.run
