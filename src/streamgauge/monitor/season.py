"""What is usual at this hour of the week: histograms by hour, and how much windows differ there."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.monitor.calibration import TAIL, unit_gamma_quantile
from streamgauge.monitor.window_distances import WindowDistances, squared

Counts = NDArray[np.int64]

HOUR_SECONDS = 3600.0
HOURS = 168
#: Bins are merged into so many groups of about equal mass: 168 hours of 64 bins would be too much.
MOST_GROUPS = 16
#: A comparison wants so many events; below it backs off from the hour of the week to that of a day.
ENOUGH = 500
#: A window longer than this lies in no hour.
LONGEST_WINDOW = 2 * HOUR_SECONDS
#: More events than this tell an hour no better, and would overflow its counts.
MOST_EVENTS = 1_000_000


class Season:
    """The last weeks of one target by hour of the week (UTC), older ones at half their weight.

    The first week shows what is usual, the second how much windows differ from that; then it
    judges. Windows that were found odd are not to be given to it, so an incident never becomes what
    is usual.

    Parameters
    ----------
    reference
        Counts per bin, shape (bins,), by which bins are merged into groups.
    """

    __slots__ = (
        "_began",
        "_current",
        "_distances",
        "_first",
        "_groups",
        "_hour",
        "_known",
        "_slots",
    )

    def __init__(self, reference: Counts) -> None:
        self._groups = equal_groups(reference)
        size = int(self._groups.max()) + 1
        self._slots = np.zeros((HOURS, size), dtype=np.int32)
        self._current = np.zeros(size, dtype=np.int64)
        #: Hours since 1970: the first one, the present one, and the first that was compared.
        self._first = self._hour = self._began = -1
        #: Of windows from their hour.
        self._distances = WindowDistances()
        #: The hour asked for last and what is usual at it, until another hour is completed.
        self._known: tuple[int, Counts | None] | None = None

    def learn(self, counts: Counts, *, start: float, end: float) -> bool:
        """Take an ordinary window's counts (bins,). True where an hour was completed by it."""
        if end - start > LONGEST_WINDOW:
            return False
        hour = int((start + end) / 2 // HOUR_SECONDS)
        usual, own = self.usual(start, end), self.grouped(counts)
        if usual is not None:
            self._began = hour if self._began < 0 else self._began
            self._distances.add(squared(usual, own))
        completed = self._hour >= 0 and hour != self._hour
        if completed:
            self._complete()
        if self._first < 0:
            self._first = hour
        self._hour = hour
        self._current += own
        return completed

    def usual(self, start: float, end: float) -> Counts | None:
        """Counts per group at the same hour of the week ± 1 h; None while it is not known.

        ``start`` and ``end`` are the window's, in seconds.
        """
        if self._first < 0 or end - start > LONGEST_WINDOW:
            return None
        hour = int((start + end) / 2 // HOUR_SECONDS)
        if hour - self._first < HOURS:
            return None
        if self._known is None or self._known[0] != hour:
            self._known = (hour, self._around(hour))
        return self._known[1]

    def _around(self, hour: int) -> Counts | None:
        around = np.arange(hour - 1, hour + 2)
        found: Counts = self._slots[around % HOURS].sum(axis=0, dtype=np.int64)
        if found.sum() >= ENOUGH:
            return found
        days = (around[:, None] + 24 * np.arange(7)).ravel() % HOURS
        found = self._slots[days].sum(axis=0, dtype=np.int64)
        return found if found.sum() >= ENOUGH else None

    @property
    def recent(self) -> Counts | None:
        """Counts per group over all hours: the last weeks; None before there was one."""
        if self._first < 0 or self._hour - self._first < HOURS:
            return None
        found: Counts = self._slots.sum(axis=0, dtype=np.int64)
        return found

    def threshold(self, noise: float, *, alpha: float) -> float | None:
        """Distance from its hour that an ordinary window exceeds with chance ``alpha``.

        A gamma distribution fitted by moments; None while a week of windows was not seen.
        """
        young = self._began < 0 or self._hour - self._began < HOURS
        fit = self._distances.fit
        if young or fit is None:
            return None
        shape, scale = fit
        return min(math.sqrt(scale * unit_gamma_quantile(shape, alpha) * TAIL * noise), 1.0)

    def grouped(self, counts: Counts) -> Counts:
        """Counts per group, of counts per bin."""
        size = self._slots.shape[1]
        return np.bincount(self._groups, weights=counts, minlength=size).astype(np.int64)

    @property
    def groups(self) -> NDArray[np.intp]:
        """Group of each bin, shape (bins,); it never changes."""
        return self._groups

    @property
    def size(self) -> int:
        """How many groups there are."""
        return self._slots.shape[1]

    def _complete(self) -> None:
        slot = self._hour % HOURS
        total = int(self._current.sum())
        current = self._current
        if total > MOST_EVENTS:
            current = current * MOST_EVENTS // total
        self._slots[slot] = self._slots[slot] // 2 + current
        self._known = None
        self._current = np.zeros_like(self._current)

    def state(self) -> list[Any]:
        """The part that changes with every window."""
        hours = [self._hour, self._first, self._began]
        return [self._current, hours, self._distances.state()]

    def slow_state(self) -> list[Any]:
        """The part that changes by the hour."""
        return [self._groups, self._slots.ravel()]

    @classmethod
    def from_state(cls, state: list[Any], slow: list[Any]) -> Self:
        made = cls.__new__(cls)
        made._groups = slow[0].astype(np.intp)
        made._slots = slow[1].astype(np.int32).reshape(HOURS, -1)
        made._current = state[0].copy()
        made._hour, made._first, made._began = state[1]
        made._distances = WindowDistances(*state[2])
        made._known = None
        return made


def equal_groups(reference: Counts) -> NDArray[np.intp]:
    """Group of each bin, neighbours together, about equal in mass, at most ``MOST_GROUPS``.

    Bins that the reference never saw are a group of their own, the last.

    >>> equal_groups(np.array([0, 5, 5, 90])).tolist()
    [3, 0, 1, 2]
    """
    seen = np.flatnonzero(reference)
    groups = np.zeros(len(reference), dtype=np.intp)
    if len(seen) < MOST_GROUPS:
        groups[seen] = np.arange(len(seen))
    else:
        mass = np.cumsum(reference[seen]) - reference[seen] / 2
        share = mass * (MOST_GROUPS - 1) / int(reference.sum())
        _, groups[seen] = np.unique(share.astype(np.intp), return_inverse=True)
    groups[reference == 0] = groups[seen].max(initial=-1) + 1
    return groups
