"""Which alarms reached which sink: kept in Redis, so that a restart sends none of them again."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streamgauge.state.keys import notified_key

logger = logging.getLogger(__name__)

#: Deliveries remembered in the process too: for while Redis is away, and to tell it afterwards.
MAX_REMEMBERED = 10_000
#: Seconds for which Redis is left alone after it did not answer.
LEAVE_ALONE_SECONDS = 5.0

_Pair = tuple[str, str]


class Notified:
    """Remembers deliveries by sink and alarm id.

    Alarms are most needed when things break, so Redis being away holds none of them up: what this
    process delivered it knows by itself, and writes down once Redis is back. Only an alarm that
    was delivered by a process which then died, all while Redis was away, goes out twice; its
    receiver sees the same ``Idempotency-Key``.

    Parameters
    ----------
    redis
        A client with short timeouts and without retries of its own.
    keep_seconds
        How long a delivery is remembered. A replay of the log repeats no alarm older than this.
    on_error
        Told the class of each error.
    """

    def __init__(
        self, redis: Redis, *, keep_seconds: float, on_error: Callable[[str], None] = lambda _: None
    ) -> None:
        self._redis = redis
        self._keep = max(1, int(keep_seconds))
        self._on_error = on_error
        self._known: OrderedDict[_Pair, None] = OrderedDict()
        #: Delivered, and not yet in Redis.
        self._owed: OrderedDict[_Pair, None] = OrderedDict()
        self._ask_at = 0.0
        #: Whether Redis answered the last time it was asked.
        self.up = True

    async def knows(self, sink: str, alarm_id: str) -> bool:
        """Whether the alarm reached the sink, as far as can be told."""
        if (sink, alarm_id) in self._known:
            return True
        if time.monotonic() < self._ask_at:
            return False
        try:
            await self._settle()
            found = bool(await self._redis.exists(notified_key(sink, alarm_id)))
        except (RedisError, OSError) as error:
            self._failed(error)
            return False
        self._answered()
        return found

    async def add(self, sink: str, alarm_id: str) -> None:
        """Remember that the alarm reached the sink."""
        pair = (sink, alarm_id)
        _remember(self._known, pair)
        _remember(self._owed, pair)
        await self.settle()

    async def settle(self) -> None:
        """Write down what is owed, where Redis answers."""
        if time.monotonic() < self._ask_at:
            return
        try:
            await self._settle()
            await self._redis.ping()
        except (RedisError, OSError) as error:
            self._failed(error)
        else:
            self._answered()

    async def _settle(self) -> None:
        for pair in list(self._owed):
            await self._redis.set(notified_key(*pair), b"1", nx=True, ex=self._keep)
            self._owed.pop(pair, None)

    def _failed(self, error: Exception) -> None:
        self._ask_at = time.monotonic() + LEAVE_ALONE_SECONDS
        self._on_error(type(error).__name__)
        if self.up:
            logger.warning(
                "Redis does not answer (%s): alarms go out all the same, and may come twice after "
                "a restart",
                type(error).__name__,
            )
        self.up = False

    def _answered(self) -> None:
        if not self.up:
            logger.info("Redis answers again")
        self.up = True


def _remember(pairs: OrderedDict[_Pair, None], pair: _Pair) -> None:
    pairs[pair] = None
    pairs.move_to_end(pair)
    if len(pairs) > MAX_REMEMBERED:
        pairs.popitem(last=False)
