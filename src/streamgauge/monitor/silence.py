"""How long a series may send nothing: learned per hour of the day from the gaps it had."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

HOUR_SECONDS = 3600.0
HOURS = 24
#: Silence is a gap of so many times the longest that was seen at that hour of the day …
FACTOR = 4.0
#: … and never one shorter than this, whatever the model's pace.
LEAST_SECONDS = 60.0
#: Gaps before anything is known of them.
ENOUGH_GAPS = 100
#: Up to so many records a loop costs less than numpy's calls.
FEW = 16
#: From so many days on the habit is settled; before, a weekend may be the first.
SETTLED_SECONDS = 7 * 86_400.0


class Gap(NamedTuple):
    """A silence: when it began, when it was one (both in seconds), and what is usual then."""

    since: float
    noticed: float
    usual: float
    #: Whether a week has shown what is usual.
    settled: bool


class Silence:
    """Watches the gaps between the records of one series, by the log's time.

    A gap is judged by what was known when it began, and by the spec that held then, so it is the
    same gap whether it is noticed while it lasts or by the record that ends it.
    """

    def __init__(self) -> None:
        self._longest = np.zeros(HOURS)
        self._gaps = 0
        self._born: float | None = None
        self.last: float | None = None
        #: Seconds of history before silence is judged by habit, and those that a spec declares.
        self._rule: tuple[float, float | None] = (0.0, None)
        #: The present gap, once it was told.
        self.open: Gap | None = None

    def take(
        self, times: NDArray[np.float64], *, learn_seconds: float, after: float | None
    ) -> list[tuple[Gap, float]]:
        """Take record times (n,), none before the last; return silences and when they ended.

        ``learn_seconds`` is the history before silence is judged by habit; ``after`` the seconds
        that a spec declares, which need no history.
        """
        rule = (learn_seconds, after)
        if self.last is None:
            self._born, self.last, self._rule = float(times[0]), float(times[0]), rule
        if rule == self._rule:
            return self._take(times)
        found = self._take(times[:1])
        self._rule = rule
        return found + self._take(times[1:]) if len(times) > 1 else found

    def _take(self, times: NDArray[np.float64]) -> list[tuple[Gap, float]]:
        assert self.last is not None
        after = self._rule[1]
        if len(times) <= FEW:
            return self._take_each(times)
        before = np.concatenate(([self.last], times[:-1]))
        gaps = times - before
        if float(gaps.max()) <= min(LEAST_SECONDS, after or LEAST_SECONDS):
            self._fold_all(before, times, gaps)
            self._gaps += len(times)
            self.last = float(times[-1])
            return []
        return self._take_each(times)

    def _take_each(self, times: NDArray[np.float64]) -> list[tuple[Gap, float]]:
        assert self.last is not None
        ordinary = min(LEAST_SECONDS, self._rule[1] or LEAST_SECONDS)
        found: list[tuple[Gap, float]] = []
        for time in times.tolist():
            gap = self.noticed(time) if time - self.last > ordinary else None
            if gap is not None:
                found.append((gap, time))
            else:
                self._fold(self.last, time - self.last)
            self._gaps += 1
            self.last = time
        return found

    def noticed(self, now: float) -> Gap | None:
        """The silence that lasts at ``now`` (seconds of the log), if it is one."""
        since, born = self.last, self._born
        learn_seconds, after = self._rule
        if since is None or born is None:
            return None
        usual, history = self._usual(since), since - born
        if after is not None:
            patience, settled = after, True
        elif history < learn_seconds or self._gaps < ENOUGH_GAPS:
            return None
        else:
            patience = max(FACTOR * usual, LEAST_SECONDS)
            settled = history >= min(SETTLED_SECONDS, 7 * learn_seconds)
        return Gap(since, since + patience, usual, settled) if now - since > patience else None

    def _usual(self, at: float) -> float:
        """The longest gap that was seen at this hour of the day ± 1 h, in seconds."""
        hour = int(at // HOUR_SECONDS)
        return float(self._longest[np.arange(hour - 1, hour + 2) % HOURS].max())

    def _fold_all(
        self,
        before: NDArray[np.float64],
        times: NDArray[np.float64],
        gaps: NDArray[np.float64],
    ) -> None:
        """Take gaps none of which is a silence: nearly every batch."""
        begun, ended = before // HOUR_SECONDS, times // HOUR_SECONDS
        for hour in range(int(begun[0]), int(ended[-1]) + 1):
            slot = hour % HOURS
            within = gaps if begun[0] == ended[-1] else gaps[(begun == hour) | (ended == hour)]
            self._longest[slot] = max(self._longest[slot], within.max(initial=0.0))

    def _fold(self, since: float, gap: float) -> None:
        """Take an ordinary gap into every hour that it touches."""
        first = int(since // HOUR_SECONDS)
        last = min(int((since + gap) // HOUR_SECONDS), first + HOURS - 1)
        for hour in range(first, last + 1):
            slot = hour % HOURS
            self._longest[slot] = max(float(self._longest[slot]), gap)

    def state(self) -> list[Any]:
        return [self._longest, self._gaps, self._born, self.last, self.open, self._rule]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._longest = state[0].copy()
        made._gaps, made._born, made.last = state[1:4]
        made.open = Gap(*state[4]) if state[4] is not None else None
        made._rule = (state[5][0], state[5][1])
        return made
