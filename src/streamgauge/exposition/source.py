"""Keeps the newest snapshot of the views, whether or not Redis answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from redis import RedisError

from streamgauge.clock import Clock, system_clock
from streamgauge.state.reader import Snapshot, ViewReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest snapshot, if there ever was one, and whether Redis answered the last time.

    ``error`` names the class of the failure, never its text, which may hold an address.
    """

    snapshot: Snapshot | None = None
    up: bool = False
    error: str = ""

    def age(self, now: float) -> float | None:
        """Seconds since the views were read; None where they never were."""
        return max(0.0, now - self.snapshot.read_at) if self.snapshot else None


class ViewSource:
    """Reads the views again and again on a thread of its own.

    A scrape and the console take what is there, so neither ever waits for Redis.
    ``after`` is called behind each attempt, on the same thread.
    """

    def __init__(
        self,
        reader: ViewReader,
        *,
        refresh_seconds: float = 1.0,
        after: Callable[[Reading], None] | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._reader = reader
        self._refresh = refresh_seconds
        self._after = after
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._reading = Reading()

    @property
    def reading(self) -> Reading:
        return self._reading

    def refresh(self) -> Reading:
        """Read once. A failure keeps the snapshot and says that Redis is away."""
        before = self._reading
        try:
            self._reading = Reading(self._reader.read(), up=True)
            if not before.up:
                logger.info("Redis answers, views are read")
        except (RedisError, OSError) as error:
            self._reading = Reading(before.snapshot, up=False, error=type(error).__name__)
            if before.up or not before.error:
                logger.warning("Redis does not answer (%s); trying again", type(error).__name__)
        return self._reading

    def start(self) -> None:
        """Begin to read, on a daemon thread."""
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop within one attempt."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                reading = self.refresh()
                if self._after is not None:
                    self._after(reading)
            except Exception:
                # One bad round must not end all later ones: the console would stand still.
                logger.exception("views could not be read")
            self._stopping.wait(self._refresh)
