"""Acknowledging, silencing, lifting and judging: one set of rules, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from redis import Redis

from streamgauge.access.event_log import NotTold
from streamgauge.alarms.notice import printable
from streamgauge.clock import Clock, system_clock
from streamgauge.handling.event import handled_event
from streamgauge.handling.found import Found
from streamgauge.state.handlings import KEPT_SECONDS, Handling, Handlings, Verdict
from streamgauge_client.events import AlarmEvent

#: Characters of a name, and of a reason.
MOST_NAME, MOST_REASON = 80, 500
#: Who does the same again within so many seconds clicked twice.
REPEAT_SECONDS = 10.0


class CantHandle(ValueError):
    """What is asked for goes against the rules; nothing was changed."""


class AlarmOver(CantHandle):
    """The alarm has resolved."""


class HalfDone(Exception):
    """It is so in Redis, and the event about it was not told. Doing it again tells it."""


class Telling(Protocol):
    """Where events go; ``access.event_log`` has it."""

    def tell(
        self, event: AlarmEvent, *, time: float, extensions: Mapping[str, str] | None = None
    ) -> None: ...


class Handler:
    """Does what somebody decided about an alarm. Errors of Redis pass through.

    Redis first: notifier, metrics and console go by it, so an event without it would be a promise
    that nobody keeps. What lacks its event holds all the same, and is told by doing it again.

    Parameters
    ----------
    redis
        A synchronous client that answers bytes.
    events
        An open event log; None tells nobody.
    """

    def __init__(
        self, redis: Redis, *, events: Telling | None, clock: Clock = system_clock
    ) -> None:
        self._store = Handlings(redis)
        self._events = events
        self._clock = clock

    def acknowledge(self, found: Found, *, by: str, reason: str = "") -> Handling:
        """Say who looks after an open alarm. Raises ``CantHandle`` and ``HalfDone``."""
        return self._put(found, Handling(**self._told(found, by, reason), status="acknowledged"))

    def silence(self, found: Found, *, by: str, seconds: float, reason: str) -> Handling:
        """Keep an open alarm's cause from all sinks. Raises ``CantHandle`` and ``HalfDone``."""
        if not 0 < seconds <= KEPT_SECONDS:
            raise CantHandle("a silence is from a moment to 90 days long")
        if not reason.strip():
            raise CantHandle("a silence needs a reason")
        told = self._told(found, by, reason)
        until = told["at"] + seconds
        return self._put(found, Handling(**told, status="silenced", until=until))

    def lift(self, found: Found) -> bool:
        """End what somebody said of it; whether anything held. The contract has no word for it."""
        _check_open(found)
        return self._store.lift(found.alarm.fingerprint)

    def judge(self, found: Found, *, right: bool, by: str, reason: str = "") -> Verdict:
        """Say whether an alarm was right, also when it is over. Raises ``CantHandle``."""
        verdict = Verdict(**self._told(found, by, reason), kind=found.alarm.kind, right=right)
        self._store.judge(verdict)
        return verdict

    def _put(self, found: Found, handling: Handling) -> Handling:
        _check_open(found)
        standing = self._store.all().get(handling.fingerprint)
        if standing is not None and not _repeats(handling, standing):
            standing = None
        handling = standing or handling
        # Before anything is written: what the contract refuses is not half done.
        event = handled_event(found.alarm, handling)
        if standing is None:
            self._store.put(handling)
        if self._events is not None:
            try:
                self._events.tell(
                    event, time=handling.at, extensions={"causationid": found.alarm.alarm_id}
                )
            except NotTold as error:
                raise HalfDone(
                    f"it is {handling.status}, but the event about it was not told: {error}"
                ) from error
        return handling

    def _told(self, found: Found, by: str, reason: str) -> dict[str, Any]:
        by, reason = by.strip(), reason.strip()
        if not by:
            raise CantHandle("say who you are")
        for what, text, most in (("name", by, MOST_NAME), ("reason", reason, MOST_REASON)):
            if len(text) > most:
                raise CantHandle(f"the {what} has {len(text):,} characters; {most} are read")
        return {
            "model": found.model,
            "fingerprint": found.alarm.fingerprint,
            "alarm_id": found.alarm.alarm_id,
            "by": printable(by),
            "at": self._clock(),
            "reason": printable(reason),
        }


def _check_open(found: Found) -> None:
    if found.alarm.status != "firing":
        raise AlarmOver("it has resolved, and can only be judged")


def _repeats(handling: Handling, standing: Handling) -> bool:
    same = ("status", "alarm_id", "by", "reason")
    apart = handling.at - standing.at
    return (
        all(getattr(handling, name) == getattr(standing, name) for name in same)
        and 0 <= apart <= REPEAT_SECONDS
        # A silence of another length is another silence.
        and abs((handling.until or 0.0) - (standing.until or 0.0)) <= REPEAT_SECONDS
    )
