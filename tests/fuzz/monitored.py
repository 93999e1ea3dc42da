"""What the monitor promises behind the decoder: it raises for no content, and loses no record."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from tests.monitor.streams import Book

#: Kafka's times are milliseconds in 64 bits.
LAST_SECOND = 2**63 / 1000


def heard(records: Sequence[LogRecord]) -> None:
    """Give the records to a new monitor, and what it keeps of them to another."""
    possible = [r for r in records if r.timestamp is None or 0 <= r.timestamp <= LAST_SECOND]
    monitor = PartitionMonitor(0, book=Book())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        effects = monitor.process(possible)
        assert sum(effects.counts.values()) == len(possible), effects.counts
        blobs = monitor.dirty().blobs
        again = PartitionMonitor(0, book=Book())
        again.restore(blobs)
        again.advance(LAST_SECOND / 2)
        again.dirty()
