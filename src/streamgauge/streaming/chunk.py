"""The chunk: what one fetch brought of one topic partition, as the transport hands it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple

from streamgauge.processing import LogRecord


class Chunk(NamedTuple):
    """Records of one fetch. Empty where the fetch only moved the position (markers, holes).

    ``generation`` was read before the fetch began; ``base`` is the position then and ``end_read``
    the position afterwards. ``highwater`` is the end of what may be read (the last stable offset).
    """

    topic: str
    partition: int
    records: Sequence[LogRecord]
    generation: int
    base: int | None
    end_read: int
    highwater: int | None


# What ``LogRecord._make`` does, without a frame of Python for each record.
_record: Callable[[tuple[Any, ...]], LogRecord] = partial(tuple.__new__, LogRecord)
_fields = attrgetter("offset", "timestamp", "key", "headers", "value")


def log_records(topic: str, partition: int, fetched: Iterable[Any]) -> list[LogRecord]:
    """Records of aiokafka as ours: nothing dropped, a null value stays one."""
    columns = list(zip(*map(_fields, fetched), strict=True))
    if not columns:
        return []
    offsets, stamps, keys, headers, values = columns
    # The broker says -1 where it has no time.
    times = [s / 1000.0 if s is not None and s >= 0 else None for s in stamps]
    pairs = list(map(tuple, headers))
    # A header may have no value at all, and nobody behind this expects that. Asked of all at once,
    # because there are some ten headers a record.
    if [None for each in pairs for _, content in each if content is None]:
        pairs = list(map(_with_values, pairs))
    rows = zip(repeat(topic), repeat(partition), offsets, times, keys, pairs, values)
    return list(map(_record, rows))


def _with_values(headers: Iterable[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, content or b"") for name, content in headers)
