"""Counts of one declared segment over a span, by its values."""

from __future__ import annotations

import itertools
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


class SliceCounts:
    """One segment over a span: predictions by status, and a histogram per target, by slice.

    ``statuses`` has shape (slices, 3); ``table`` (slices, groups of bins) holds the histograms of
    all targets side by side. Where a client samples they are of all the events that the sample
    stands for; ``events`` (slices, 1) counts what was seen.
    """

    __slots__ = ("events", "names", "statuses", "table", "widths")

    def __init__(self) -> None:
        self.statuses: Counts = np.zeros((0, 3), dtype=np.int64)
        self.events: Counts = np.zeros((0, 1), dtype=np.int64)
        self.names: tuple[str, ...] = ()
        self.widths: tuple[int, ...] = ()
        self.table: Counts = np.zeros((0, 0), dtype=np.int64)

    @property
    def histograms(self) -> dict[str, Counts]:
        """Counts (slices, groups) by target; views of the table."""
        ends = itertools.accumulate(self.widths)
        return {
            name: self.table[:, end - width : end]
            for name, width, end in zip(self.names, self.widths, ends, strict=True)
        }

    def merge(self, other: Self) -> None:
        self.statuses = _sum(self.statuses, other.statuses)
        self.events = _sum(self.events, other.events)
        if (self.names, self.widths) == (other.names, other.widths):
            self.table = _sum(self.table, other.table)
        elif other.names:
            self._put(self._merged(other))

    def _merged(self, other: Self) -> dict[str, Counts]:
        """Histograms of both; where a target has other groups by now, the later ones."""
        own = self.histograms
        for name, counts in other.histograms.items():
            before = own.get(name)
            same = before is not None and before.shape[1] == counts.shape[1]
            own[name] = _sum(before, counts) if same and before is not None else counts
        return own

    def _put(self, histograms: dict[str, Counts]) -> None:
        self.names = tuple(histograms)
        self.widths = tuple(each.shape[1] for each in histograms.values())
        self.table = np.zeros((max(map(len, histograms.values())), sum(self.widths)), np.int64)
        for own, each in zip(self.histograms.values(), histograms.values(), strict=True):
            own[: len(each)] = each

    def fade(self, most: int) -> None:
        """Halve the histograms of slices that hold more than ``most``: older counts fade."""
        for each in self.histograms.values():
            full = each.sum(axis=1) > most
            each[full] //= 2

    def seen_of(self, index: int) -> float:
        """Events of a slice that were seen, as a share of those that they stand for."""
        return int(self.events[index, 0]) / max(int(self.statuses[index].sum()), 1)

    def state(self) -> list[Any]:
        histograms = {
            name: [each.shape[1], each.ravel()] for name, each in sorted(self.histograms.items())
        }
        return [self.statuses.ravel(), self.events.ravel(), histograms]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.statuses = state[0].astype(np.int64).reshape(-1, 3)
        made.events = state[1].astype(np.int64).reshape(-1, 1)
        if state[2]:
            made._put(
                {name: counts.reshape(-1, width) for name, (width, counts) in state[2].items()}
            )
        return made


def _sum(one: Counts, other: Counts) -> Counts:
    """Sum over slices; the one that knows fewer of them has none of the rest."""
    if len(one) < len(other):
        one, other = other, one
    total = one.copy()
    total[: len(other)] += other
    return total
