"""Features as columns: from a list of dictionaries to one column per feature name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from operator import itemgetter, methodcaller
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: What a row of a column holds.
NUMBER: Final = 0
CATEGORY: Final = 1
NULL: Final = 2
ABSENT: Final = 3
VECTOR: Final = 4

_NULL = np.int8(NULL)
_values = methodcaller("values")
_NUMBERS = frozenset({float, int})
_NUMBERS_AND_NULL = _NUMBERS | {type(None)}


class _Absent:
    """Stands where an event does not have the feature."""


ABSENT_CELL: Final = _Absent()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One feature of n events.

    ``kind`` is NUMBER, CATEGORY, NULL, ABSENT or VECTOR per row. ``values`` are the numbers, of a
    vector its length, else nan. ``categories`` are strings, booleans as "true" and "false", and
    None elsewhere; the whole list is None where no row is a category.
    """

    kind: NDArray[np.int8]
    values: NDArray[np.float64]
    categories: list[str | None] | None = None


def feature_columns(
    features: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, Column]:
    """Columns of the features in ``names``, in that order.

    A numeric string is a category and never a number: what a producer sends as another type is a
    fault to be seen, not one to be mended. A NaN, which JSON can't bring, is NULL.

    >>> column = feature_columns([{"x": 1.0}, {"x": "1.5"}, {}], ["x"])["x"]
    >>> column.kind.tolist(), column.values.tolist(), column.categories
    ([0, 1, 3], [1.0, nan, nan], [None, '1.5', None])
    """
    if not names or not features:
        return {name: cell_column(()) for name in names}
    raw = dict(zip(names, _transposed(features, names), strict=True))
    # numpy would read "1.5" and True as numbers: types first, then the fast way, all columns at
    # once, because with a thousand models in a chunk the price is that of the calls.
    numeric = [
        name for name, cells in raw.items() if _NUMBERS_AND_NULL.issuperset(map(type, cells))
    ]
    values = np.array([raw[name] for name in numeric], dtype=np.float64)
    kinds = np.isnan(values) * _NULL
    placed = dict(zip(numeric, map(Column, kinds, values), strict=True))
    return {name: placed.get(name) or cell_column(cells) for name, cells in raw.items()}


def number_table(rows: Sequence[Sequence[float | None]]) -> list[Column] | None:
    """Columns of rows of numbers and nulls; None where something else is among them.

    >>> [column.kind.tolist() for column in number_table([(1.0, None), (2.0, 3.0)])]
    [[0, 0], [2, 0]]
    """
    try:
        values = np.array(rows, dtype=np.float64).T.copy()
    # A feature that an event lacks is no number.
    except TypeError:
        return None
    return list(map(Column, np.isnan(values) * _NULL, values))


def plain_column(cells: Sequence[Any] | None, n: int) -> Column:
    """A column of one feature's decoded values; None is a feature that no event has.

    >>> plain_column([1.0, None], 2).kind.tolist(), plain_column(None, 1).kind.tolist()
    ([0, 2], [3])
    """
    if cells is None:
        return Column(np.full(n, ABSENT, dtype=np.int8), np.full(n, nan))
    if _NUMBERS_AND_NULL.issuperset(map(type, cells)):
        values = np.array(cells, dtype=np.float64)
        return Column(np.isnan(values) * _NULL, values)
    return cell_column(cells)


def _transposed(
    features: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Sequence[Sequence[Any]]:
    if len(set(map(tuple, features))) == 1:
        columns = dict(zip(features[0], zip(*map(_values, features), strict=True), strict=True))
        if columns.keys() >= set(names):
            return [columns[name] for name in names]
    if len(names) > 1:
        # One call per event for all names, as long as every event has them all.
        try:
            return list(zip(*map(itemgetter(*names), features), strict=True))
        except KeyError:
            pass
    return [[event.get(name, ABSENT_CELL) for event in features] for name in names]


def cell_column(raw: Sequence[Any]) -> Column:
    """A column of cells of whatever types."""
    n = len(raw)
    if n == 0 or set(map(type, raw)) == {str}:
        kind = np.full(n, CATEGORY, dtype=np.int8)
        return Column(kind, np.full(n, nan), list(raw) if n else None)
    kinds, mixed, categories = zip(*map(_cell, raw), strict=True)
    return Column(
        np.array(kinds, dtype=np.int8),
        np.array(mixed, dtype=np.float64),
        list(categories) if CATEGORY in kinds else None,
    )


def _cell(value: Any) -> tuple[int, float, str | None]:
    kind = type(value)
    if kind in _NUMBERS:
        return (NUMBER, value, None) if value == value else (NULL, nan, None)
    if kind is str:
        return CATEGORY, nan, value
    if kind is bool:
        return CATEGORY, nan, "true" if value else "false"
    if value is None:
        return NULL, nan, None
    if value is ABSENT_CELL:
        return ABSENT, nan, None
    return VECTOR, float(len(value)), None
