"""What is usual: the ratio of faults that a column has on ordinary days."""

from __future__ import annotations

import math
from typing import Any, Self

#: Events before a ratio is believed, and those after which it is settled.
BELIEVED = 100
SETTLED = 1000
#: A ratio must rise by this much to be worth a word, and by this many standard errors.
LEAST_RISE = 0.05
STANDARD_ERRORS = 5.0


class BaselineRatio:
    """A fault's ratio over the first events that were not themselves exceptional.

    It settles, with a thousand events and as much time as a reference takes, and stays: a fault
    that grows slowly must not become usual.

    Examples
    --------
    >>> usual = BaselineRatio()
    >>> usual.add(0, 1000)
    >>> round(usual.threshold(400), 3)
    0.05
    >>> sampled = BaselineRatio()
    >>> sampled.add(30, 300, events=30)
    >>> sampled.ratio, sampled.believed
    (0.1, False)
    """

    __slots__ = ("count", "seen", "since")

    def __init__(self, count: int = 0, seen: int = 0, since: float | None = None) -> None:
        self.count = count
        self.seen = seen
        self.since = since

    @property
    def believed(self) -> bool:
        return self.seen >= BELIEVED

    @property
    def ratio(self) -> float:
        return self.count / self.seen if self.seen else 0.0

    def add(
        self,
        count: int,
        seen: int,
        *,
        events: int | None = None,
        at: float = 0.0,
        settles_after: float = 0.0,
    ) -> None:
        """Take an ordinary span's faults and events, until it is settled. Times in seconds.

        ``events`` are those that came, where a client samples and ``seen`` stands for more: what a
        ratio is worth depends on them.
        """
        if events is not None and 0 < events < seen:
            count, seen = count * events // seen, events
        self.since = at if self.since is None else self.since
        if self.seen < SETTLED or at - self.since < settles_after:
            self.count += count
            self.seen += seen

    def threshold(
        self, n: int, *, base: float | None = None, least_rise: float = LEAST_RISE
    ) -> float:
        """Ratio that ``n`` events exceed when something broke; ``base`` replaces the usual."""
        p = self.ratio if base is None else base
        # Asked four times a feature and window: comparisons, for ``min`` and ``max`` cost thrice.
        one = 1 / n
        some, rest = (p if p > one else one), (1 - p if p < 1 - one else 1 - (1 - one))
        rise = STANDARD_ERRORS * math.sqrt(some * rest / n)
        found = p + (rise if rise > least_rise else least_rise)
        return found if found < 1.0 else 1.0

    def state(self) -> list[Any]:
        return [self.count, self.seen, self.since]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        return cls(*state)
