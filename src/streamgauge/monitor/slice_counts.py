"""Counts of one declared segment over a span, by its values."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


class SliceCounts:
    """One segment over a span: predictions by status, and a histogram per target, by slice.

    ``statuses`` has shape (slices, 3), each of ``histograms`` (slices, groups of bins). Where a
    client samples they are of all the events that the sample stands for; ``events`` (slices, 1)
    counts what was seen.
    """

    __slots__ = ("events", "histograms", "statuses")

    def __init__(self) -> None:
        self.statuses: Counts = np.zeros((0, 3), dtype=np.int64)
        self.events: Counts = np.zeros((0, 1), dtype=np.int64)
        self.histograms: dict[str, Counts] = {}

    def merge(self, other: Self) -> None:
        self.statuses = _sum(self.statuses, other.statuses)
        self.events = _sum(self.events, other.events)
        for name, counts in other.histograms.items():
            own = self.histograms.get(name)
            same = own is not None and own.shape[1] == counts.shape[1]
            self.histograms[name] = _sum(own, counts) if same and own is not None else counts.copy()

    def seen_of(self, index: int) -> float:
        """Events of a slice that were seen, as a share of those that they stand for."""
        return int(self.events[index, 0]) / max(int(self.statuses[index].sum()), 1)

    def state(self) -> list[Any]:
        histograms = {
            name: [self.histograms[name].shape[1], self.histograms[name].ravel()]
            for name in sorted(self.histograms)
        }
        return [self.statuses.ravel(), self.events.ravel(), histograms]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.statuses = state[0].astype(np.int64).reshape(-1, 3)
        made.events = state[1].astype(np.int64).reshape(-1, 1)
        made.histograms = {
            name: counts.astype(np.int64).reshape(-1, groups)
            for name, (groups, counts) in state[2].items()
        }
        return made


def _sum(one: Counts | None, other: Counts) -> Counts:
    """Sum over slices; the one that knows fewer of them has none of the rest."""
    if one is None:
        return other.copy()
    if len(one) < len(other):
        one, other = other, one
    total = one.copy()
    total[: len(other)] += other
    return total
