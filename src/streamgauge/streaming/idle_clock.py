"""When the clock may act at the end of the log: only while the broker shows that end.

And not for a while after the processor has failed to let time pass, so that records still flow.
Kept over sessions and rebalances, because an outage ends many a session.
"""

from __future__ import annotations

from collections.abc import Container

from streamgauge.streaming.config import WorkerConfig

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class IdleClock:
    """The idle time of one partition number. All times are of one monotonic clock.

    In an outage the end of the log is only the last known one: producers hold events back, and
    they come with the times at which they happened. So idle time stands still meanwhile, and
    afterwards for as long again as the outage took: a producer that doubles its pauses between
    tries is back by then.
    """

    def __init__(self, config: WorkerConfig, *, heard: float | None = None) -> None:
        """``heard`` is since when the broker has been silent, where that is known."""
        self._config = config
        self._mark: float | None = None
        self._heard = heard
        self._quiet_until = 0.0
        self._ticked = 0.0
        self._pause = FIRST_PAUSE

    def listen(self, mark: float | None, now: float) -> None:
        """``mark`` is another one whenever the broker has shown the end again."""
        if mark is None or mark == self._mark:
            return
        silence = 0.0 if self._heard is None else now - self._heard
        if silence > self._config.silence_seconds:
            settle = min(silence, self._config.settle_seconds)
            self._quiet_until = max(self._quiet_until, now + settle)
        self._mark, self._heard = mark, now

    def due(self, now: float) -> bool:
        """Time may pass now, up to ``age`` seconds ago."""
        return (
            self._mark is not None
            and self.age(now) <= self._config.silence_seconds
            and now >= self._quiet_until
            and now - self._ticked >= self._config.tick_seconds
        )

    def age(self, now: float) -> float:
        """Seconds since the broker last showed the end."""
        return 0.0 if self._heard is None else now - self._heard

    def ticked(self, now: float) -> None:
        """Time has passed."""
        self._ticked = now
        self._pause = FIRST_PAUSE

    def failed(self, now: float) -> float:
        """Letting time pass has failed: not again for the seconds that are returned."""
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self._quiet_until = max(self._quiet_until, now + pause)
        return pause


class IdleClocks:
    """The idle clocks of a worker's partition numbers, by number."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._clocks: dict[int, IdleClock] = {}

    def of(self, number: int, *, heard: float | None) -> IdleClock:
        """The clock of a number that is held; a new one where it was not held before."""
        return self._clocks.setdefault(number, IdleClock(self._config, heard=heard))

    def keep(self, numbers: Container[int]) -> None:
        """Forget the others: while a number is somebody else's, nothing of it is heard.

        When it comes back that is no outage, and idle time need not wait for producers.
        """
        self._clocks = {n: clock for n, clock in self._clocks.items() if n in numbers}
