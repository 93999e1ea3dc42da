"""What an envelope says of the way an event came: its number, and how many events it stands for."""

from __future__ import annotations

from typing import NamedTuple

from streamgauge.batch.envelope import attributes
from streamgauge.processing import LogRecord

#: A client samples one in so many at most; a larger weight would let one event speak for a day.
MOST_WEIGHT = 100_000
MOST_DIGITS = 18
_DIGITS = frozenset(b"0123456789")


class Delivery(NamedTuple):
    """``sequence`` is the producer's number as it came, None where there is none."""

    sequence: bytes | None = None
    weight: int = 1


_PLAIN = Delivery()


def delivery(record: LogRecord) -> Delivery:
    """Read both. A weight that is none is 1: a wrong attribute must not lose an event."""
    sequence = None
    weight = 1
    for name, value in attributes(record):
        if name == "ce_sequence":
            sequence = value
        elif name == "ce_sampledrate":
            weight = sampled_rate(value)
    return _PLAIN if sequence is None and weight == 1 else Delivery(sequence, weight)


def sampled_rate(value: bytes) -> int:
    """The weight that a ``sampledrate`` names.

    >>> sampled_rate(b"10"), sampled_rate(b"0"), sampled_rate(b"many")
    (10, 1, 1)
    >>> sampled_rate(b"20000000"), sampled_rate(b"9" * 400)
    (100000, 1)
    """
    # A text of any length must not become a number of any length, and one like that is no rate.
    if not value or len(value) > MOST_DIGITS or not _DIGITS.issuperset(value):
        return 1
    return min(max(int(value), 1), MOST_WEIGHT)
