"""The monitor, killing itself at a named point: ``python -m load_tests.faults.crashing_monitor``.

The product has no hooks for this. What the points lie between are calls of five methods, so this
module wraps them, and then runs the monitor's own ``main``. ``FAULTS_CRASH_POINT`` names the point
and ``FAULTS_CRASH_AT`` says at which time that it is passed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from services.monitor.app import main
from streamgauge.processing import LogRecord
from streamgauge.state.redis import RedisStore
from streamgauge.streaming.faust_log import FaustLog
from streamgauge.streaming.session import Session

POINT, AT = "FAULTS_CRASH_POINT", "FAULTS_CRASH_AT"
POINTS = {
    "after_fetch": "after a fetch, before its records are processed",
    "mid_batch": "with half of a step's records processed",
    "before_compare_and_set": "before the compare-and-set, dead letters being out",
    "after_compare_and_set": "after a compare-and-set with alarms in it, before they are published",
    "after_publish": "after alarms were published, before the outbox forgets them",
    "before_commit": "after the checkpoint, before Kafka's commit",
}


class Crash:
    """Counts how often the point is passed, and ends the process at the time that was named."""

    def __init__(self, at: int) -> None:
        self._left = at

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str, crash: Crash) -> None:
    """Wrap the method beside the point."""
    wrap: dict[str, Callable[[Crash], None]] = {
        "after_fetch": _after_fetch,
        "mid_batch": _mid_batch,
        "before_compare_and_set": _around_compare_and_set,
        "after_compare_and_set": _behind_compare_and_set,
        "after_publish": _after_publish,
        "before_commit": _before_commit,
    }
    wrap[point](crash)


def _replace(owner: type, name: str, method: Callable[..., Any]) -> None:
    setattr(owner, name, method)


def _after_fetch(crash: Crash) -> None:
    feed = Session.feed

    def feed_and_crash(self: Session, chunk: Any) -> None:
        feed(self, chunk)
        if chunk.records:
            crash.passed()

    _replace(Session, "feed", feed_and_crash)


def _mid_batch(crash: Crash) -> None:
    process = Session._process

    def process_half(self: Session, records: Sequence[LogRecord]) -> None:
        half = len(records) // 2
        process(self, records[:half])
        crash.passed()
        process(self, records[half:])

    _replace(Session, "_process", process_half)


def _around_compare_and_set(crash: Crash) -> None:
    checkpoint = RedisStore.checkpoint

    async def crash_before(self: RedisStore, *args: Any, **named: Any) -> Any:
        crash.passed()
        return await checkpoint(self, *args, **named)

    _replace(RedisStore, "checkpoint", crash_before)


def _behind_compare_and_set(crash: Crash) -> None:
    checkpoint = RedisStore.checkpoint

    async def crash_behind(self: RedisStore, *args: Any, **named: Any) -> Any:
        verdict = await checkpoint(self, *args, **named)
        if verdict == "OK" and named["write"].outbox:
            crash.passed()
        return verdict

    _replace(RedisStore, "checkpoint", crash_behind)


def _after_publish(crash: Crash) -> None:
    published = RedisStore.published

    async def crash_before(self: RedisStore, partition: int, ids: list[str]) -> None:
        if ids:
            crash.passed()
        await published(self, partition, ids)

    _replace(RedisStore, "published", crash_before)


def _before_commit(crash: Crash) -> None:
    commit = FaustLog.commit

    async def crash_before(self: FaustLog, offsets: Any) -> bool:
        crash.passed()
        return await commit(self, offsets)

    _replace(FaustLog, "commit", crash_before)


if __name__ == "__main__":
    arm(os.environ[POINT], Crash(int(os.environ[AT])))
    sys.exit(main())
