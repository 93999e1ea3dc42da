"""When too many records are refused, that is a defect somewhere and no longer their own fault.

By a share of one minute's records, and by how many come in a row. All by the log's own time and
order, so that a replay says the same; the counts are part of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.meta import InvalidCounts
from streamgauge.streaming.pipeline_alarms import invalid_ratio, invalid_ratio_over
from streamgauge.streaming.refusal import too_many_invalid
from streamgauge_client.events import AlarmEvent

#: A share is judged over so long, and over more where less has come by then.
MINUTE = 60.0
FEWEST = 100
#: Topics are read next to each other, and no further apart than this. What is, has a wrong clock.
SKEW = 300.0


class InvalidEvents:
    """Judges what became of the records of one partition number, one after the other.

    Counts go on in ``counts``, which is written with the checkpoint.
    """

    def __init__(self, partition: int, config: WorkerConfig, counts: InvalidCounts) -> None:
        self._partition = partition
        self._config = config
        self._counts = counts

    def take(self, records: Sequence[LogRecord], letters: Iterable[DeadLetter]) -> list[AlarmEvent]:
        """Alarms that these records raise or end. Raises ``Refused`` where that is to stop."""
        refused = {(letter.record.topic, letter.record.offset) for letter in letters}
        counts = self._counts
        times = [r.timestamp or 0.0 for r in records] or [0.0]
        until = counts.until
        if not refused and until is not None and until - SKEW <= min(times) <= max(times) < until:
            # Nearly every step.
            counts.seen += len(records)
            counts.in_a_row = 0
            return []
        alarms: list[AlarmEvent] = []
        for record in records:
            self._take(record, (record.topic, record.offset) in refused, alarms)
        return alarms

    def _take(self, record: LogRecord, invalid: bool, alarms: list[AlarmEvent]) -> None:
        counts = self._counts
        now = record.timestamp or 0.0
        if counts.until is None:
            counts.until = now + MINUTE
        elif now >= counts.until and counts.seen >= FEWEST:
            share = counts.invalid / counts.seen
            if share > self._config.max_invalid_ratio:
                self._raise(f"{share:.0%} of {counts.seen} records", record, alarms)
            elif counts.firing:
                counts.firing = False
                alarms.append(invalid_ratio_over(self._config.group, self._partition, _at(record)))
            counts.until, counts.seen, counts.invalid = now + MINUTE, 0, 0
        if record.timestamp is not None and now < counts.until - SKEW:
            # One record from a clock far ahead must not put the judgement off for ever.
            counts.until = now + MINUTE
        counts.seen += 1
        counts.invalid += invalid
        counts.in_a_row = counts.in_a_row + 1 if invalid else 0
        if counts.in_a_row == self._config.max_consecutive_invalid:
            self._raise(f"{counts.in_a_row} records in a row", record, alarms)

    def _raise(self, what: str, record: LogRecord, alarms: list[AlarmEvent]) -> None:
        group, partition = self._config.group, self._partition
        alarm = invalid_ratio(group, partition, what, _at(record))
        if self._config.stop_on_invalid:
            raise too_many_invalid(what, alarm)
        if not self._counts.firing:
            self._counts.firing = True
            alarms.append(alarm)


def _at(record: LogRecord) -> str:
    return f"{record.topic}, offset {record.offset}"
