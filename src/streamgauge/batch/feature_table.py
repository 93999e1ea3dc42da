"""The features of many events, as rows (single events) or as columns (a batch of predictions)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.features import Column, feature_columns, plain_column
from streamgauge.batch.shapes import ShapedFeatures, shaped_columns

Redact = Callable[[Mapping[str, Any]], dict[str, Any]]


class FeatureRows(list[dict[str, Any] | ShapedFeatures]):
    """One row an event, as single predictions bring them: a dictionary, or fields of a shape."""

    __slots__ = ()

    def first_rows(self, known: Collection[str]) -> dict[str, int]:
        """Row at which each unknown name comes first, by row and then by name."""
        shaped = self._shape()
        known = set(known)
        if shaped is not None and known.issuperset(shaped.names):
            return {}
        events = self.dicts()
        # Events of one model have the same names in the same order, or nearly.
        if known.issuperset(set().union(*set(map(tuple, events)))):
            return {}
        first: dict[str, int] = {}
        for row, event in enumerate(events):
            for name in sorted(event.keys() - known - first.keys()):
                first[name] = row
        return first

    def values_of(self, names: Collection[str]) -> int:
        """How many values there are of the named features."""
        return sum(name in names for event in self.dicts() for name in event)

    def columns(self, names: Sequence[str]) -> dict[str, Column]:
        """Columns of the features in ``names``, in that order."""
        shaped = self._shape()
        if shaped is not None:
            return shaped_columns(self, shaped, names)
        return feature_columns(self.dicts(), names)

    def redacted(self, redact: Redact) -> FeatureRows:
        """The same with each event's features changed."""
        return FeatureRows([redact(event) for event in self.dicts()])

    def part(self, start: int, stop: int) -> FeatureRows:
        return FeatureRows(self[start:stop])

    def take(self, rows: NDArray[np.intp]) -> FeatureRows:
        return FeatureRows([self[row] for row in rows.tolist()])

    def dicts(self) -> list[dict[str, Any]]:
        """One dictionary an event."""
        return [row if isinstance(row, dict) else row.as_dict() for row in self]

    def _shape(self) -> type[ShapedFeatures] | None:
        """The shape of all rows; None where they are of several, or of none."""
        types = set(map(type, self))
        kind = types.pop() if len(types) == 1 else dict
        return kind if issubclass(kind, ShapedFeatures) else None


class FeatureColumns:
    """One list a feature, as a batch of predictions brings them: no detour through events.

    ``cells`` are the values as decoded, all of one length.
    """

    __slots__ = ("_cells", "_n")

    def __init__(self, cells: Mapping[str, Sequence[Any]], n: int) -> None:
        self._cells, self._n = cells, n

    def dicts(self) -> list[dict[str, Any]]:
        """One dictionary an event."""
        if not self._cells:
            return [{} for _ in range(self._n)]
        rows = zip(*self._cells.values(), strict=True)
        return [dict(zip(self._cells, row, strict=True)) for row in rows]

    def __len__(self) -> int:
        return self._n

    def first_rows(self, known: Collection[str]) -> dict[str, int]:
        """Row at which each unknown name comes first: a column is there from the beginning."""
        return dict.fromkeys(sorted(self._cells.keys() - known), 0)

    def values_of(self, names: Collection[str]) -> int:
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
