"""Sequence numbers: lost events are counted by their gaps, and not guessed."""

from __future__ import annotations

import os


class Sequences:
    """Numbers what one publisher sends, from 0 for each topic and record key.

    The producer's name is drawn anew at each start of a publisher and in each forked child, so
    two runs of a service are never taken for one another. Not safe to use from several threads:
    a number and its place in the queue must be taken together, under the sender's lock.
    """

    __slots__ = ("_last", "_prefix")

    def __init__(self) -> None:
        self._prefix = os.urandom(8).hex() + "-"
        self._last: dict[tuple[str, bytes], int] = {}

    @property
    def producer(self) -> str:
        """The producer's name, 16 hexadecimal digits."""
        return self._prefix[:-1]

    def take(self, topic: str, key: bytes) -> bytes:
        """The next number, as ``ce_sequence`` has it: ``<producer>-<n>``."""
        place = (topic, key)
        self._last[place] = number = self._last.get(place, -1) + 1
        return f"{self._prefix}{number}".encode()

    def last(self, topic: str, key: bytes) -> int | None:
        """The last number taken; None before the first."""
        return self._last.get((topic, key))
