"""The chunk: what one fetch brought of one topic partition, as the transport hands it on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from streamgauge.processing import LogRecord


class Chunk(NamedTuple):
    """Records of one fetch. Empty where the fetch only moved the position (markers, holes).

    ``generation`` was read before the fetch began; ``base`` is the position then and ``end_read``
    the position afterwards. ``highwater`` is the end of what may be read (the last stable offset).
    """

    topic: str
    partition: int
    records: tuple[LogRecord, ...]
    generation: int
    base: int | None
    end_read: int
    highwater: int | None

    @property
    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(len(r.key or b"") + len(r.value or b"") for r in self.records)


def log_records(fetched: Iterable[Any]) -> tuple[LogRecord, ...]:
    """Records of aiokafka as ours: nothing dropped, a null value stays one."""
    records = tuple(
        LogRecord(
            r.topic,
            r.partition,
            r.offset,
            # The broker says -1 where it has no time.
            r.timestamp / 1000.0 if r.timestamp is not None and r.timestamp >= 0 else None,
            r.key,
            tuple(r.headers),
            r.value,
        )
        for r in fetched
    )
    # A header may have no value at all, and nobody behind this expects that. Asked of all at once,
    # because there are some ten headers a record.
    if [name for record in records for name, content in record.headers if content is None]:
        return tuple(r._replace(headers=_with_values(r.headers)) for r in records)
    return records


def _with_values(headers: Iterable[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, content or b"") for name, content in headers)
