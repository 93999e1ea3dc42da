"""Subscribing to alarms: an iterator that gives each alarm once, with and without asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from streamgauge_client.alarm_filter import AlarmFilter, OneOrSeveral
from streamgauge_client.alarm_reader import AlarmReader, Heard
from streamgauge_client.environment import client_settings
from streamgauge_client.events import AlarmEvent
from streamgauge_client.following import Follower, GroupFollower, LogFollower
from streamgauge_client.security import with_security
from streamgauge_client.since import SinceGiven, check_group
from streamgauge_client.topics import ALARMS

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

#: Seconds of one poll. In between, Python sees Ctrl-C.
_POLL_SECONDS = 0.5


def alarms(
    bootstrap_servers: str | None = None,
    *,
    model: OneOrSeveral = None,
    kind: OneOrSeveral = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    status: OneOrSeveral = None,
    where: Callable[[AlarmEvent], object] | None = None,
    since: SinceGiven = "latest",
    group: str | None = None,
    timeout: float | None = None,
    topic_prefix: str | None = None,
    kafka: Mapping[str, Any] | None = None,
) -> AlarmSubscription:
    """Subscribe to alarms, now. Iterate over what comes back, with ``for`` or ``async for``.

    Parameters
    ----------
    bootstrap_servers, topic_prefix
        Default: the environment, as for ``Publisher``.
    model, kind
        Only alarms of this model, this kind, or of one of several.
    status
        The same; default ``firing`` and ``resolved``. What people did about alarms comes to who
        asks for it: ``acknowledged``, ``silenced``.
    severity
        The least severity: ``warning`` gives warnings and critical ones.
    where
        Only alarms for which this function of an ``AlarmEvent`` is true.
    since
        ``latest`` (what comes after this call), ``beginning``, how long ago (``1h``), a time
        (RFC 3339, an aware ``datetime``, seconds since 1970), or ``{partition: offset}``, where
        a partition that isn't named is read from its beginning.
    group
        Share the alarms with other members of this consumer group, and go on where it stopped.
        ``since`` then says where a new group begins: ``latest`` or ``beginning``.
    timeout
        End after so many seconds without an alarm. Default: never.
    kafka
        librdkafka settings that win over ours, such as ``security.protocol``. Without that one
        TLS and the user are as ``STREAMGAUGE_KAFKA__SECURITY__PROTOCOL``, ``…USERNAME``,
        ``…PASSWORD_FILE``, ``…CA_FILE`` say. Raises ``ValueError`` where these can't be used.

    Examples
    --------
    >>> for alarm in alarms(model="fraud", severity="warning"):  # doctest: +SKIP
    ...     page(alarm.summary)
    """
    wanted = AlarmFilter.of(model=model, kind=kind, severity=severity, status=status, where=where)
    start = check_group(group, since)
    settings = client_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    topic = ALARMS.under(settings.topic_prefix)
    servers, options = settings.bootstrap_servers, with_security(kafka or {})
    follower: Follower
    if group is None:
        follower = LogFollower(servers, topic, since=start, options=options)
    else:
        follower = GroupFollower(servers, topic, group=group, since=start, options=options)
    return AlarmSubscription(follower, wanted=wanted, timeout=timeout)


class AlarmSubscription:
    """An iterator of alarms. Made by ``alarms``. To be iterated by one thread or task at a time.

    ``async for`` waits in a thread of its own, so the event loop goes on. Cancelling it takes
    effect at once and loses nothing: what the thread hears meanwhile is given next.
    """

    def __init__(
        self,
        follower: Follower,
        *,
        wanted: AlarmFilter | None = None,
        timeout: float | None = None,
    ) -> None:
        self._reader = AlarmReader(follower, wanted or AlarmFilter())
        self._patience = float("inf") if timeout is None else timeout
        self._executor: ThreadPoolExecutor | None = None
        self._ahead: Future[Heard] | None = None

    @property
    def duplicates(self) -> int:
        """Alarms that were dropped because their id had been seen."""
        return self._reader.duplicates

    @property
    def malformed(self) -> int:
        """Records that were no alarm. They are logged and skipped, and never end the iteration."""
        return self._reader.malformed

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of each partition: give it as ``since`` to go on from here later."""
        return self._reader.positions()

    def __iter__(self) -> AlarmSubscription:
        return self

    def __next__(self) -> AlarmEvent:
        deadline = time.monotonic() + self._patience
        while not self._reader.closed:
            left = deadline - time.monotonic()
            heard = self._reader.poll(max(0.0, min(left, _POLL_SECONDS)))
            if heard.alarm is not None:
                return heard.alarm
            if not heard.record and left <= 0:
                break
        raise StopIteration

    def __aiter__(self) -> AlarmSubscription:
        return self

    async def __anext__(self) -> AlarmEvent:
        deadline = time.monotonic() + self._patience
        while not self._reader.closed:
            left = deadline - time.monotonic()
            heard = await self._heard(max(0.0, min(left, _POLL_SECONDS)))
            if heard.alarm is not None:
                return heard.alarm
            if not heard.record and left <= 0:
                break
        raise StopAsyncIteration

    def settle(self, handled: bool) -> None:
        """Say what became of the alarm in hand, instead of by asking for the next one.

        In a group, what was not handled is not committed by itself; see ``run``.
        """
        self._reader.settle(handled)

    def close(self) -> None:
        """End the iteration and disconnect."""
        self._reader.close()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    async def aclose(self) -> None:
        """As ``close``, without holding the event loop up."""
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __enter__(self) -> AlarmSubscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> AlarmSubscription:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _heard(self, timeout: float) -> Heard:
        """What a poll in the thread brings. One that was not waited for is taken up again."""
        import asyncio

        ahead = self._ahead
        if ahead is None or ahead.cancelled():
            try:
                ahead = self._ahead = self._thread().submit(self._reader.poll, timeout)
            except RuntimeError:
                # Closed by another thread just now.
                if self._reader.closed:
                    return Heard(False, None)
                raise
        try:
            heard = await asyncio.wrap_future(ahead)
        except Exception:
            self._ahead = None
            raise
        self._ahead = None
        return heard

    def _thread(self) -> ThreadPoolExecutor:
        if self._executor is None:
            # Here: asyncio and its threads are 30 ms that who uses neither need not pay.
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(1, thread_name_prefix="streamgauge-alarms")
        return self._executor
