"""Where a prediction waits, by the digest of its id: a dict for the newest, sorted runs behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.digest import Digests

#: Rows that a dict holds before they become a sorted run: a dict costs ten times the room.
OPEN = 1024
#: The place of what is not there.
ABSENT = -1

Places = NDArray[np.int64]


class Index:
    """Row numbers by digest, 16 bytes each.

    Runs are merged when two are of a size, so a million rows are in about eight of them. Row
    numbers only grow; what is below ``first`` is gone.
    """

    def __init__(self) -> None:
        self.first = 0
        self._open: dict[int, int] = {}
        self._runs: list[tuple[Digests, Places]] = []

    def add(self, digests: Digests, start: int) -> None:
        """Take rows from number ``start`` on."""
        self._open.update(zip(digests.tolist(), range(start, start + len(digests)), strict=True))
        if len(self._open) >= OPEN:
            self._close()

    def find(self, digests: Digests) -> Places:
        """Row numbers, shape (n,), ``ABSENT`` where there is none."""
        known = self._open.get
        found = np.array([known(each, ABSENT) for each in digests.tolist()], dtype=np.int64)
        for keys, places in reversed(self._runs):
            open_ = np.flatnonzero(found == ABSENT)
            if not len(open_):
                break
            wanted = digests[open_]
            # The newest of equal ones, where an id came again: it stands last.
            at = np.searchsorted(keys, wanted, side="right") - 1
            hit = keys[at] == wanted
            found[open_[hit]] = places[at[hit]]
        found[found < self.first] = ABSENT
        return found

    def forget(self, first: int) -> None:
        """Let go of all rows below ``first``."""
        self.first = first
        self._runs = [run for run in self._runs if run[1].max(initial=ABSENT) >= first]

    def _close(self) -> None:
        keys = np.array(list(self._open.keys()), dtype=np.uint64)
        places = np.array(list(self._open.values()), dtype=np.int64)
        self._open = {}
        self._push(keys, places)
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (old, at), (new, then) = self._runs.pop(-2), self._runs.pop(-1)
            self._push(np.concatenate([old, new]), np.concatenate([at, then]))

    def _push(self, keys: Digests, places: Places) -> None:
        kept = places >= self.first
        keys, places = keys[kept], places[kept]
        order = np.argsort(keys, kind="stable")
        self._runs.append((keys[order], places[order]))
