"""Reading alarms one by one: each once, only those wanted, from a thread that may be closed."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import Any, NamedTuple

from streamgauge_client.alarm_filter import AlarmFilter
from streamgauge_client.codec import DecodeError, decode
from streamgauge_client.events import AlarmEvent
from streamgauge_client.following import Follower
from streamgauge_client.throttle import Throttle

logger = logging.getLogger(__name__)

#: Alarm ids remembered to drop duplicates: a replay repeats minutes of alarms, not months.
MAX_REMEMBERED_IDS = 10_000


class Heard(NamedTuple):
    """What a poll brought: a record or nothing, and the alarm where it was one to give."""

    record: bool
    alarm: AlarmEvent | None


class AlarmReader:
    """Makes alarms of records. One thread polls; any may close."""

    def __init__(self, follower: Follower, wanted: AlarmFilter) -> None:
        self.duplicates = 0
        self.malformed = 0
        self.closed = False
        self._follower = follower
        self._wanted = wanted
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._warning = Throttle()
        # Kafka's consumer must not be closed under a poll.
        self._polling = threading.Lock()
        self._poller: int | None = None
        self._connected = True

    def poll(self, timeout: float) -> Heard:
        """Wait for one record, at most ``timeout`` seconds."""
        # Around the lock and not within: a signal handler may call close() anywhere in here.
        self._poller = threading.get_ident()
        try:
            with self._polling:
                message = None if self.closed else self._follower.poll(timeout)
        finally:
            self._poller = None
        if self.closed:
            self.close()
        if message is None:
            return Heard(False, None)
        alarm = self._alarm(message)
        given = alarm is not None and self._wanted.wants(alarm) and self._is_new(alarm.alarm_id)
        return Heard(True, alarm if given else None)

    def settle(self, handled: bool) -> None:
        with self._polling:
            if not self.closed:
                self._follower.settle(handled)

    def positions(self) -> dict[int, int]:
        return self._follower.positions()

    def close(self) -> None:
        """Disconnect; where another thread polls, when it is done."""
        self.closed = True
        if self._poller == threading.get_ident():
            # A signal handler in the middle of the poll, which closes when it is done.
            return
        with self._polling:
            if self._connected:
                self._connected = False
                self._follower.close()

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

    def _is_new(self, alarm_id: str) -> bool:
        if alarm_id in self._seen:
            self.duplicates += 1
            self._seen.move_to_end(alarm_id)
            return False
        self._seen[alarm_id] = None
        if len(self._seen) > MAX_REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return True
