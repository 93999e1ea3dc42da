"""A chunk's records as columns: taken apart once, for all who ask the same of every record."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.processing import LogRecord

Headers = tuple[tuple[str, bytes], ...]
_FIELDS = [itemgetter(place) for place in range(len(LogRecord._fields))]


class RecordColumns:
    """Each field of all records, in their order.

    Parameters
    ----------
    columns
        The fields of ``LogRecord``, a tuple of n each.
    """

    def __init__(self, columns: Sequence[tuple[Any, ...]]) -> None:
        self._columns = columns
        topics, _, offsets, stamps, keys, headers, values = columns
        self.topics: tuple[str, ...] = topics
        self.stamps: tuple[float | None, ...] = stamps
        self.keys: tuple[bytes | None, ...] = keys
        self.headers: tuple[Headers, ...] = headers
        self.values: tuple[bytes | None, ...] = values
        self._offsets: tuple[int, ...] = offsets

    @classmethod
    def of(cls, records: Sequence[LogRecord]) -> RecordColumns:
        # To zip thousands of records walks through as many iterators for each field.
        return cls([tuple(map(field, records)) for field in _FIELDS])

    def __len__(self) -> int:
        return len(self.topics)

    def part(self, start: int, stop: int) -> RecordColumns:
        """Records from ``start`` up to ``stop``."""
        return RecordColumns([column[start:stop] for column in self._columns])

    def take(self, rows: Sequence[int]) -> RecordColumns:
        """Records by their indices."""
        return RecordColumns([tuple(map(column.__getitem__, rows)) for column in self._columns])

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Shape (n,)."""
        return np.array(self._offsets, dtype=np.int64)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """The log's, in seconds since 1970, shape (n,); nan where a record has none."""
        return np.array(self.stamps, dtype=np.float64)

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(map(len, filter(None, self.values)))
