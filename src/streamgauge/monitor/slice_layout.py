"""Where each target's groups of bins stand in a table of slices: all targets side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streamgauge.monitor.contents import Placed
from streamgauge.monitor.season import Season


class SliceLayout:
    """One column for each group of each target, and one more for values that have no bin.

    The price of a small batch is that of the calls, so the targets of a batch are counted together.

    Parameters
    ----------
    seasons
        The targets that are counted, by name; their seasons know the groups.
    """

    __slots__ = ("_bases", "_columns", "_seasons", "names", "width", "widths")

    def __init__(self, seasons: Mapping[str, Season]) -> None:
        self._seasons = tuple(seasons.values())
        self.names = tuple(seasons)
        self.widths = tuple(season.size for season in self._seasons)
        #: Columns of the table, but for the last one.
        self.width = sum(self.widths)
        parts: list[NDArray[np.intp]] = []
        bases, start, place = [], 0, 0
        for season, width in zip(self._seasons, self.widths, strict=True):
            # In front of each target's bins stands −1, no bin.
            parts += [np.array([self.width], dtype=np.intp), season.groups + start]
            bases.append(place + 1)
            start, place = start + width, place + 1 + len(season.groups)
        self._columns = np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)
        self._bases = np.array(bases, dtype=np.intp)[:, None]

    def holds(self, seasons: Mapping[str, Season]) -> bool:
        """Whether these are still the same seasons of the same targets."""
        if self.names != tuple(seasons):
            return False
        return all(a is b for a, b in zip(self._seasons, seasons.values(), strict=True))

    def places(
        self,
        features: Mapping[str, Placed],
        among: NDArray[np.intp],
        outputs: Mapping[str, Placed],
        within: NDArray[np.intp],
    ) -> NDArray[np.intp]:
        """Bins of its targets, shape (targets, events).

        ``among`` (events,) are the rows of ``features``, ``within`` (events,) those of ``outputs``.
        """
        found = np.empty((len(self.names), len(within)), dtype=np.intp)
        for row, name in zip(found, self.names, strict=True):
            placed = features.get(name)
            row[:] = outputs[name].place[within] if placed is None else placed.place[among]
        return found

    def columns(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Column of each value, of its bin: both (targets, events), −1 for no bin."""
        found: NDArray[np.intp] = self._columns.take(places + self._bases)
        return found
