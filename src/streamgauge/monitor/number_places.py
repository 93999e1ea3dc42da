"""Places of numeric columns side by side: the price of a small batch is that of its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import NULL, NUMBER, Column
from streamgauge.monitor.contents import Placed
from streamgauge.monitor.target import Target
from streamgauge.references.bins import NumericBins
from streamgauge.references.number_grid import NumberGrid

#: Columns that are placed at once: more would not stay in the processor's cache.
MOST_COLUMNS = 64
#: Values from which a grid costs less than a search in each column.
MANY = 256


class NumberPlaces:
    """Places columns of numbers and nulls whose bins are known: nearly every column there is."""

    def __init__(self) -> None:
        self._grids: dict[int, NumberGrid] = {}

    def place(
        self, targets: Mapping[str, Target], columns: Mapping[str, Column]
    ) -> dict[str, Placed]:
        """What ``Target.place`` would say, for those of which it would learn nothing.

        The others are left out.
        """
        numeric = {name: t.bins for name, t in targets.items() if t.type == "numeric"}
        known = [(name, bins) for name, bins in numeric.items() if isinstance(bins, NumericBins)]
        placed: dict[str, Placed] = {}
        for start in range(0, len(known), MOST_COLUMNS):
            names, bins = zip(*known[start : start + MOST_COLUMNS], strict=True)
            values = np.array([columns[name].values for name in names])
            places = self._find(start, bins, values)
            kinds = np.array([columns[name].kind for name in names])
            missing = kinds == NULL
            places[missing] = -1
            plain = (missing | (kinds == NUMBER)).all(axis=1).tolist()
            holes = missing.any(axis=1).tolist()
            for row in [row for row in range(len(names)) if plain[row]]:
                target, gone = targets[names[row]], missing[row] if holes[row] else None
                target.turned = -1
                outside = target.outside(values[row])
                placed[target.name] = Placed(places[row], values[row], gone, None, outside)
        return placed

    def _find(
        self, start: int, bins: Sequence[NumericBins], values: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        if values.size < MANY:
            rows = zip(bins, values, strict=True)
            return np.array([each.place(row) for each, row in rows], dtype=np.intp)
        grid = self._grids.get(start)
        if grid is None or not grid.holds(bins):
            grid = self._grids[start] = NumberGrid(bins)
        return grid.place(values)
