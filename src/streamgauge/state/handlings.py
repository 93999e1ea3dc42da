"""What people did about alarms: acknowledged, silenced for a time, judged true or false."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, TypeVar

from pydantic import ValidationError
from redis import Redis
from redis.exceptions import ResponseError

from streamgauge.state.keys import PREFIX
from streamgauge.state.views import View

#: Hashes of all that holds: by fingerprint, and by alarm.
HANDLINGS, VERDICTS = f"{PREFIX}:alarm-handlings", f"{PREFIX}:alarm-verdicts"
#: Seconds for which an acknowledgement is kept: no alarm that anybody looks after is older.
KEPT_SECONDS = 90 * 86_400.0
#: Verdicts that are kept, the newest of all models': every reader reads them each second.
MOST_VERDICTS = 2000

V = TypeVar("V", bound="_Told")


class _Told(View):
    """What somebody said of an alarm; ``at`` is the clock's time in seconds."""

    model: str
    fingerprint: str
    alarm_id: str
    by: str
    at: float
    reason: str = ""


class Handling(_Told):
    """An alarm that somebody looks after, or wants to hear nothing of until ``until``.

    An acknowledgement is about one alarm; a silence is about its cause, also when it fires anew.
    """

    status: Literal["acknowledged", "silenced"]
    until: float | None = None

    def holds(self, alarm_id: str, now: float) -> bool:
        """Whether it is about an alarm of its fingerprint, at a time."""
        if self.status == "silenced":
            return self.until is not None and now < self.until
        return self.alarm_id == alarm_id


class Verdict(_Told):
    """Whether an alarm was right: what its thresholds are to be measured by."""

    kind: str
    right: bool


class Handlings:
    """All of it, in two hashes of Redis. Errors of Redis pass through.

    Parameters
    ----------
    redis
        A synchronous client that answers bytes.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        #: What was read last, and what it meant: readers look every second.
        self._parsed: dict[str, tuple[dict[bytes, bytes], list[Any]]] = {}

    def put(self, handling: Handling) -> None:
        """Take the place of what was said of the same cause; forget what is over."""
        over = [
            field(each.fingerprint)
            for each in self.all().values()
            if handling.at > (each.until or each.at + KEPT_SECONDS)
        ]
        if over:
            self._redis.hdel(HANDLINGS, *over)
        self._redis.hset(HANDLINGS, field(handling.fingerprint), handling.model_dump_json())

    def lift(self, fingerprint: str) -> bool:
        """Let an alarm be heard again; whether anything was said of it."""
        return bool(self._redis.hdel(HANDLINGS, field(fingerprint)))

    def all(self) -> dict[str, Handling]:
        """By fingerprint, also what is over; what can't be read is left out."""
        return {each.fingerprint: each for each in self._read(Handling, HANDLINGS)}

    def judge(self, verdict: Verdict) -> None:
        """Say of an alarm whether it was right; the last word holds. Forgets the oldest ones."""
        self._redis.hset(VERDICTS, field(verdict.alarm_id), verdict.model_dump_json())
        over = self.verdicts()[:-MOST_VERDICTS]
        if over:
            self._redis.hdel(VERDICTS, *(field(each.alarm_id) for each in over))

    def verdicts(self) -> list[Verdict]:
        """Of all alarms that were judged, oldest first."""
        return sorted(self._read(Verdict, VERDICTS), key=lambda each: (each.at, each.alarm_id))

    def _read(self, kind: type[V], key: str) -> list[V]:
        try:
            fields = self._redis.hgetall(key)
        except ResponseError:
            # Another kind of key in its place: views are read all the same.
            return []
        known = self._parsed.get(key)
        if known is not None and known[0] == fields:
            return known[1]
        found = [each for _, data in sorted(fields.items()) if (each := parsed(kind, data))]
        self._parsed[key] = (fields, found)
        return found


def field(name: str) -> str:
    """The field of a fingerprint or an id: those may come from strangers, and be long."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def parsed(kind: type[V], data: bytes | None) -> V | None:
    """None for what is not there, or can't be read."""
    try:
        return None if data is None else kind.model_validate_json(data)
    except ValidationError:
        return None
