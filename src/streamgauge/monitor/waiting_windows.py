"""Windows that wait before they are learned from, until no alarm can follow from them.

A change begins somewhere within a window. Half of it may be no finding yet, and learned it would
lift the threshold by which the rest is about to be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from streamgauge.monitor.contents import SeriesCounts

#: An alarm needs two windows that exceed, of three.
WAITING = 2


@dataclass(slots=True)
class WaitingWindow:
    """A full window, and the targets in which it was ordinary. Times in seconds."""

    counts: SeriesCounts
    start: float
    end: float
    targets: set[str]


class WaitingWindows:
    """The last ordinary windows of one series, the oldest first."""

    __slots__ = ("_windows",)

    def __init__(self) -> None:
        self._windows: list[WaitingWindow] = []

    def add(self, window: WaitingWindow) -> WaitingWindow | None:
        """Put a window behind the others; return the one that has waited long enough."""
        self._windows.append(window)
        return self._windows.pop(0) if len(self._windows) > WAITING else None

    def drop(self) -> None:
        """An alarm fires: what led to it is none of the normal."""
        self._windows = []

    def forget(self, targets: set[str]) -> list[SeriesCounts]:
        """Learn nothing of these targets; return what the windows hold."""
        for window in self._windows:
            window.targets -= targets
        return [window.counts for window in self._windows]

    def state(self, last: SeriesCounts) -> list[Any]:
        """Plain values; ``last`` is written elsewhere, and nearly always the newest of these."""
        return [
            [
                None if window.counts is last else window.counts.state(),
                window.start,
                window.end,
                sorted(window.targets),
            ]
            for window in self._windows
        ]

    @classmethod
    def from_state(cls, state: list[Any], last: SeriesCounts) -> Self:
        made = cls()
        made._windows = [
            WaitingWindow(
                last if counts is None else SeriesCounts.from_state(counts), start, end, set(names)
            )
            for counts, start, end, names in state
        ]
        return made
