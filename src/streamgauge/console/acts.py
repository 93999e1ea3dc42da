"""Does what a browser asks for: by the rules of ``handling``, with every failure in words."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis, RedisError, ResponseError

from streamgauge.access.event_log import EventLog, KafkaAway, open_event_log
from streamgauge.access.redis_refusal import redis_refusal
from streamgauge.alarms.notice import printable
from streamgauge.clock import Clock, system_clock
from streamgauge.console.asked import Asked
from streamgauge.console.roles import Role
from streamgauge.console.scene import Document
from streamgauge.exposition.source import Reading
from streamgauge.handling.found import known_alarms
from streamgauge.handling.handler import AlarmOver, CantHandle, HalfDone, Handler
from streamgauge.settings.sections import KafkaSettings, RedisSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status of HTTP and what goes with it: the new state, or the ``reason`` why there is none.

    The state comes with ``at``, so that a page knows which readings are older. ``quietly``: it
    could be done now without the event.
    """

    status: int
    document: Document


class Acts:
    """Waits for Redis and Kafka, so it is called on a thread; one at a time, so that clicks agree.

    Parameters
    ----------
    redis
        A synchronous client with short timeouts.
    reading
        The newest one: an act is about an alarm that was shown.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        redis_settings: RedisSettings,
        kafka: KafkaSettings,
        reading: Callable[[], Reading],
        clock: Clock = system_clock,
    ) -> None:
        self._redis = redis
        self._redis_settings = redis_settings
        self._kafka = kafka
        self._reading = reading
        self._clock = clock

    def do(self, asked: Asked, *, role: Role) -> Outcome:
        """Do it, or say why not."""
        name = type(asked).__name__.lower()
        if role < asked.needed:
            return _refused(403, f"this needs the role {asked.needed.word}, yours is {role.word}")
        snapshot = self._reading().snapshot
        found = known_alarms(snapshot.models).get(asked.alarm) if snapshot else None
        if found is None:
            return _refused(404, "no such alarm is open or ended a short while ago")
        try:
            with contextlib.ExitStack() as stack:
                handler = Handler(self._redis, events=self._log(asked, stack), clock=self._clock)
                document = asked.done(handler, found)
        except KafkaAway as error:
            return _refused(503, f"Nothing was changed: {error}", quietly=True)
        except CantHandle as error:
            return _refused(409 if isinstance(error, AlarmOver) else 400, str(error))
        except HalfDone as error:
            logger.warning("%s of alarm %s: %s", name, printable(asked.alarm), error)
            return _refused(502, f"{error}. Do it again to tell it.")
        except (RedisError, OSError) as error:
            return _refused(503, self._of_redis(error))
        logger.info(
            "%s of alarm %s by %s (%s)", name, *map(printable, (asked.alarm, asked.by)), role.word
        )
        return Outcome(200, {**document, "at": self._clock()})

    def _log(self, asked: Asked, stack: contextlib.ExitStack) -> EventLog | None:
        if not asked.told or not asked.event:
            return None
        return stack.enter_context(open_event_log(self._kafka, service="streamgauge-console"))

    def _of_redis(self, error: Exception) -> str:
        refusal = redis_refusal(self._redis_settings, error)
        if refusal is not None:
            return f"Nothing was changed: {refusal}"
        if isinstance(error, ResponseError):
            return f"Nothing was changed: Redis refuses it ({error})"
        # It may have taken the word and lost the answer.
        return f"Redis does not answer ({type(error).__name__}). See below whether it was kept."


def _refused(status: int, reason: str, **more: object) -> Outcome:
    return Outcome(status, {"reason": reason, **more})
