"""Header names that are no UTF-8: brokers and other clients take them, aiokafka raises.

It would raise at the same record after every restart, so that one record of anybody who may write
ends the reading of a partition for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords


def read_any_header_name() -> None:
    """Make aiokafka's consumers of this process read such records. Has no effect twice."""
    fetcher.MemoryRecords = ReadableRecords


class ReadableRecords:
    """aiokafka's record batches of one fetch, in the place of its ``MemoryRecords``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._batches = MemoryRecords(data)
        self._taken = 0

    def size_in_bytes(self) -> int:
        size: int = self._batches.size_in_bytes()
        return size

    def has_next(self) -> bool:
        there: bool = self._batches.has_next()
        return there

    def next_batch(self) -> Any:
        """The next batch; one of an old format knows no headers and comes as it is."""
        batch, number = self._batches.next_batch(), self._taken
        self._taken += 1
        return _Batch(batch, self._data, number) if hasattr(batch, "producer_id") else batch


class _Batch:
    """A batch that is read again, in Python, where one of its records can't be read."""

    def __init__(self, batch: Any, data: bytes, number: int) -> None:
        self._batch, self._data, self._number = batch, data, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        # All at once: a frame of Python for each record would cost as much as reading it.
        try:
            return iter(list(self._batch))
        except (UnicodeDecodeError, CorruptRecordException) as error:
            # The latter is what aiokafka makes of it where it has no extension in C.
            if UnicodeDecodeError not in (type(error), type(error.__cause__)):
                raise
            return self._again()

    def _again(self) -> Iterator[Any]:
        # The Cython batch does not give its bytes away.
        again = _DefaultRecordBatchPy(_slice(self._data, self._number))
        again._maybe_uncompress()
        again._buffer = _Names(again._buffer)
        return iter(again)


def _slice(data: bytes, number: int) -> bytes:
    """The bytes of one batch: offset (8 bytes), length (4), and so many more."""
    start = 0
    for _ in range(number):
        start += 12 + int.from_bytes(data[start + 8 : start + 12], "big")
    return data[start : start + 12 + int.from_bytes(data[start + 8 : start + 12], "big")]


class _Names(bytearray):
    """A buffer whose parts decode to text whatever they are: nothing but names is decoded."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _Name(part) if isinstance(index, slice) else part


class _Name(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")
