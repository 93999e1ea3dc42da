"""An event loop whose clock moves only when told to, and never waits: the same run every time."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from streamgauge.streaming import (
    checkpoint,
    guard,
    intake,
    outbox,
    session,
    snapshotter,
    telemetry,
)


class VirtualTime(asyncio.SelectorEventLoop):
    """Runs until nothing is left to do before the horizon, then stops. Does no input or output."""

    def __init__(self) -> None:
        self.now = 1.0
        self._horizon = self.now
        self._interrupted: Callable[[], bool] = lambda: False
        super().__init__(_Idle(self.idle))

    def time(self) -> float:
        return self.now

    def idle(self, seconds: float | None) -> None:
        """Nothing is ready for so long (None: for ever)."""
        due = math.inf if seconds is None else self.now + seconds
        if self._interrupted():
            self.stop()
        elif due > self._horizon:
            self.now = self._horizon
            self.stop()
        else:
            self.now = due

    def run_for(
        self, seconds: float, *, interrupted: Callable[[], bool], serve: Callable[[], None]
    ) -> None:
        """Let time pass; where ``interrupted`` it stands still until ``serve`` has been called."""
        self._horizon = self.now + seconds
        self._interrupted = interrupted
        self.run_forever()
        while interrupted():
            serve()
            self.run_forever()


class _Idle(selectors.SelectSelector):
    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._idle(timeout)
        return []


def follow_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the worker's modules the clock of whatever loop they run in."""
    clock = SimpleNamespace(monotonic=lambda: asyncio.get_running_loop().time())
    for module in (checkpoint, guard, intake, outbox, session, snapshotter, telemetry):
        monkeypatch.setattr(module, "time", clock)
