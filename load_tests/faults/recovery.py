"""The clock of a recovery: from the fault to a checkpoint on every partition with records."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from load_tests.faults.store import Store, moved

LONGEST_SECONDS = 90.0


class Stuck(Exception):
    """Something did not happen in the time that it may take."""


class Until(Protocol):
    """Waits for a condition, and says how long that took. Raises ``Stuck``."""

    def __call__(self, condition: Callable[[], bool], seconds: float, what: str) -> float: ...


class Recovery:
    """``struck``, then ``cured`` once nothing is kept away any more, then ``wait``."""

    def __init__(
        self,
        store: Store,
        *,
        all_sent: Callable[[], bool],
        ends: Callable[[], Mapping[int, int]],
        until: Until,
    ) -> None:
        self._store, self._all_sent, self._ends, self._until = store, all_sent, ends, until
        self.struck_at: float | None = None
        #: What was durable after the fault: recovery must go beyond it.
        self.since: Mapping[int, int] | None = None
        #: For how long the rig kept something away.
        self.down_seconds = 0.0
        #: Measured by ``wait``, or by a fault that has another measure.
        self.seconds: float | None = None

    def again(self) -> None:
        """Forget what was measured: another fault comes."""
        self.struck_at = self.since = self.seconds = None

    def struck(self) -> None:
        """The fault begins now."""
        self.struck_at = time.monotonic()

    def cured(self) -> None:
        """Note what is durable. Where the monitor was faster, recovery is found later: so be it."""
        assert self.struck_at is not None
        self.down_seconds = time.monotonic() - self.struck_at

        def noted() -> bool:
            self.since = self._store.positions()
            return True

        self._until(noted, 30, "Redis does not answer")

    def wait(self) -> float | None:
        """Wait for it; seconds since the fault. None where there was none to recover from."""
        if self.struck_at is None or self.seconds is not None:
            return self.seconds
        if self.since is None:
            self.cured()
        self._until(self._advanced, LONGEST_SECONDS, "no recovery")
        self.seconds = time.monotonic() - self.struck_at
        return self.seconds

    def _advanced(self) -> bool:
        since, now = self.since or {}, self._store.positions()
        # The broker is asked only once all is sent: until then every partition gets records.
        return moved(since, now, dict.fromkeys(now, sys.maxsize)) or (
            self._all_sent() and moved(since, now, self._ends())
        )
