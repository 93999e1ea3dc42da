"""Subscribing to alarms: an iterator that gives each alarm once."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

from streamgauge_client.codec import DecodeError, decode
from streamgauge_client.environment import client_settings
from streamgauge_client.events import AlarmEvent
from streamgauge_client.following import Follower, GroupFollower, LogFollower
from streamgauge_client.since import parse_since
from streamgauge_client.throttle import Throttle
from streamgauge_client.topics import ALARMS

logger = logging.getLogger(__name__)

#: Alarm ids remembered to drop duplicates: a replay repeats minutes of alarms, not months.
MAX_REMEMBERED_IDS = 10_000
#: Seconds of one poll. In between, Python sees Ctrl-C.
_POLL_SECONDS = 0.5
_RANKS = {"info": 0, "warning": 1, "critical": 2}
_STATUSES = ("firing", "acknowledged", "silenced", "resolved")


def alarms(
    bootstrap_servers: str | None = None,
    *,
    model: str | None = None,
    kind: str | None = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    status: Literal["firing", "acknowledged", "silenced", "resolved"] | None = None,
    since: str = "latest",
    group: str | None = None,
    timeout: float | None = None,
    topic_prefix: str | None = None,
    kafka: Mapping[str, Any] | None = None,
) -> AlarmSubscription:
    """Subscribe to alarms, now. Iterate over what comes back.

    Parameters
    ----------
    bootstrap_servers, topic_prefix
        Default: the environment, as for ``Publisher``.
    model, kind, status
        Only alarms of this model, this kind, this status.
    severity
        The least severity: ``warning`` gives warnings and critical ones.
    since
        ``latest`` (what comes after this call), ``beginning``, or a time like ``1h`` ago.
    group
        Share the alarms with other members of this consumer group, and go on where it stopped.
        ``since`` then says where a new group begins, and can't be a time.
    timeout
        End after so many seconds without an alarm. Default: never.
    kafka
        librdkafka settings that win over ours, such as ``security.protocol``.

    Examples
    --------
    >>> for alarm in alarms(model="fraud", severity="warning"):  # doctest: +SKIP
    ...     page(alarm.summary)
    """
    if severity is not None and severity not in _RANKS:
        raise ValueError(f"severity={severity!r} is unknown; give one of {', '.join(_RANKS)}")
    if status is not None and status not in _STATUSES:
        raise ValueError(f"status={status!r} is unknown; give one of {', '.join(_STATUSES)}")
    start = parse_since(since)
    settings = client_settings(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    topic = ALARMS.under(settings.topic_prefix)
    servers, options = settings.bootstrap_servers, dict(kafka or {})
    follower: Follower
    if group is None:
        follower = LogFollower(servers, topic, since=start, options=options)
    elif isinstance(start, float):
        raise ValueError(
            f'since={since!r} does not go with a group; give "latest" or "beginning", '
            "or leave the group out"
        )
    else:
        follower = GroupFollower(servers, topic, group=group, since=start, options=options)
    return AlarmSubscription(
        follower, model=model, kind=kind, severity=severity, status=status, timeout=timeout
    )


class AlarmSubscription:
    """An iterator of alarms. Made by ``alarms``.

    Attributes
    ----------
    duplicates
        Alarms that were dropped because their id had been seen.
    malformed
        Records that were no alarm. They are logged and skipped, and never end the iteration.
    """

    def __init__(
        self,
        follower: Follower,
        *,
        model: str | None = None,
        kind: str | None = None,
        severity: str | None = None,
        status: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self.duplicates = 0
        self.malformed = 0
        self._follower = follower
        self._model = model
        self._kind = kind
        self._least = _RANKS[severity] if severity is not None else 0
        self._status = status
        self._timeout = timeout
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._closed = False
        self._warning = Throttle()

    def __iter__(self) -> AlarmSubscription:
        return self

    def __next__(self) -> AlarmEvent:
        patience = float("inf") if self._timeout is None else self._timeout
        deadline = time.monotonic() + patience
        while not self._closed:
            left = deadline - time.monotonic()
            message = self._follower.poll(max(0.0, min(left, _POLL_SECONDS)))
            if message is None:
                if left <= 0:
                    break
                continue
            alarm = self._alarm(message)
            if alarm is not None and self._wanted(alarm) and self._is_new(alarm.alarm_id):
                return alarm
        raise StopIteration

    def close(self) -> None:
        """End the iteration and disconnect."""
        if not self._closed:
            self._closed = True
            self._follower.close()

    def __enter__(self) -> AlarmSubscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _alarm(self, message: Any) -> AlarmEvent | None:
        try:
            event = decode(message.topic(), message.headers(), message.value())
            if isinstance(event, AlarmEvent):
                return event
            reason = f"a {type(event).__name__}"
        except DecodeError as error:
            reason = str(error)
        self.malformed += 1
        if self._warning.ready():
            logger.warning(
                "skipped a record that is no alarm, at %s[%d]@%d: %s (%d so far)",
                message.topic(),
                message.partition(),
                message.offset(),
                reason,
                self.malformed,
            )
        return None

    def _wanted(self, alarm: AlarmEvent) -> bool:
        return (
            (self._model is None or alarm.model == self._model)
            and (self._kind is None or alarm.kind == self._kind)
            and (self._status is None or alarm.status == self._status)
            and _RANKS[alarm.severity] >= self._least
        )

    def _is_new(self, alarm_id: str) -> bool:
        if alarm_id in self._seen:
            self.duplicates += 1
            self._seen.move_to_end(alarm_id)
            return False
        self._seen[alarm_id] = None
        if len(self._seen) > MAX_REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return True
