"""What the topic no longer shows: read by the rig before it was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from load_tests.faults.expected import Expected
from load_tests.faults.traffic import POISON
from streamgauge.processing import LogRecord


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What the recount has to know beside the topic."""

    #: The log's deleted head, as far as it was to be counted.
    counted: Sequence[LogRecord] = ()
    #: Records of the deleted head that could never be counted.
    unread: Sequence[LogRecord] = ()
    #: What an earlier log of the same name had to give.
    earlier: Expected = field(default_factory=Expected)

    @property
    def lost(self) -> Mapping[int, int]:
        """How many were never read, by partition."""
        numbers = [record.partition for record in self.unread]
        return {number: numbers.count(number) for number in set(numbers)}

    @property
    def dead(self) -> int:
        """Dead letters beside those of the traffic's poison; fewer where poison was not read."""
        return len(self.earlier.dead) - poison(self.unread)


def poison(records: Iterable[LogRecord]) -> int:
    """How many are poison, by the list that the traffic was made with."""
    return sum(record.value in POISON for record in records)
