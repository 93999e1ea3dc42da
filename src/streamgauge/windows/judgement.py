"""The window that is judged: panes merged until there is enough to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, Protocol, Self, TypeVar


class Mergeable(Protocol):
    """Contents of a pane: they add up, and the empty one changes nothing."""

    @property
    def n(self) -> int: ...

    def merge(self, other: Self) -> None: ...


C = TypeVar("C", bound=Mergeable)
Fullness = Literal["open", "full", "too_few"]


@dataclass(frozen=True, slots=True)
class WindowRule:
    """When a window is full. Times in seconds.

    It needs both ``min_duration`` and ``min_events``; at ``max_duration`` it ends as it is.
    """

    pane: float
    min_duration: float
    min_events: int
    max_duration: float


@dataclass(slots=True)
class JudgementWindow(Generic[C]):
    """Consecutive closed panes of one series. ``start`` and ``end`` are seconds of event time."""

    contents: C
    start: float
    end: float

    def add(self, contents: C, start: float, end: float) -> None:
        """Put a later pane behind. Panes come in order of time."""
        self.contents.merge(contents)
        self.start = min(self.start, start)
        self.end = max(self.end, end)

    def fullness(self, rule: WindowRule) -> Fullness:
        # Half a pane of slack: sums of decimal fractions are never exact.
        duration = self.end - self.start + rule.pane / 2
        if duration >= rule.min_duration and self.contents.n >= rule.min_events:
            return "full"
        return "too_few" if duration >= rule.max_duration else "open"
