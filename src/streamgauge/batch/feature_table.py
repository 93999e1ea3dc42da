"""The features of many events, as rows (single events) or as columns (a batch of predictions)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.features import Column, feature_columns, plain_column

Redact = Callable[[Mapping[str, Any]], dict[str, Any]]


class FeatureRows(list[dict[str, Any]]):
    """One dictionary an event, as single predictions bring them."""

    __slots__ = ()

    def first_rows(self, known: Collection[str]) -> dict[str, int]:
        """Row at which each unknown name comes first, in the order in which they come."""
        first: dict[str, int] = {}
        # Events of one model have the same names in the same order, or nearly.
        if set().union(*set(map(tuple, self))) <= set(known):
            return first
        for row, event in enumerate(self):
            for name in event:
                if name not in known and name not in first:
                    first[name] = row
        return first

    def count(self, names: Collection[str]) -> int:
        """How many values there are of the named features."""
        return sum(name in names for event in self for name in event)

    def columns(self, names: Sequence[str]) -> dict[str, Column]:
        """Columns of the features in ``names``, in that order."""
        return feature_columns(self, names)

    def redacted(self, redact: Redact) -> FeatureRows:
        """The same with each event's features changed."""
        return FeatureRows([redact(event) for event in self])

    def part(self, start: int, stop: int) -> FeatureRows:
        return FeatureRows(self[start:stop])

    def take(self, rows: NDArray[np.intp]) -> FeatureRows:
        return FeatureRows([self[row] for row in rows.tolist()])


class FeatureColumns:
    """One list a feature, as a batch of predictions brings them: no detour through events.

    ``cells`` are the values as decoded, all of one length.
    """

    __slots__ = ("_cells", "_n")

    def __init__(self, cells: Mapping[str, Sequence[Any]], n: int) -> None:
        self._cells, self._n = cells, n

    def __len__(self) -> int:
        return self._n

    def first_rows(self, known: Collection[str]) -> dict[str, int]:
        """Row at which each unknown name comes first: a column is there from the beginning."""
        return {name: 0 for name in self._cells if name not in known}

    def count(self, names: Collection[str]) -> int:
        """How many values there are of the named features."""
        return self._n * len(self._cells.keys() & set(names))

    def columns(self, names: Sequence[str]) -> dict[str, Column]:
        """Columns of the features in ``names``, in that order; ABSENT where there is none."""
        cells = self._cells
        return {name: plain_column(cells.get(name), self._n) for name in names}

    def redacted(self, redact: Redact) -> Self:
        """The same with each event's features changed; one that is dropped has no column left."""
        made = {}
        for name, cells in self._cells.items():
            changed = [redact({name: value}) for value in cells]
            if any(changed):
                made[name] = [each.get(name) for each in changed]
        return type(self)(made, self._n)

    def part(self, start: int, stop: int) -> Self:
        return type(self)(
            {name: each[start:stop] for name, each in self._cells.items()}, stop - start
        )

    def take(self, rows: NDArray[np.intp]) -> Self:
        wanted = rows.tolist()
        return type(self)(
            {name: [each[row] for row in wanted] for name, each in self._cells.items()}, len(wanted)
        )


FeatureTable = FeatureRows | FeatureColumns
