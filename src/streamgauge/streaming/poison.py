"""A record that makes the processor raise is found, and becomes a dead letter.

After such a failure the state is half done, so it is dropped and the records are replayed from the
last checkpoint one by one, until the one that raises is alone. Its outcome is the same at every
replay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamgauge.processing import DeadLetter, LogRecord


class Poison:
    """What is known of records that raise, over the reloads of one partition number."""

    def __init__(self) -> None:
        self._letters: dict[tuple[str, int], DeadLetter] = {}
        self._careful_until: dict[str, int] = {}

    def found(self, records: Sequence[LogRecord], error: BaseException) -> None:
        """One of these raised. A single one is the culprit; of many, each is a suspect."""
        if len(records) == 1:
            record = records[0]
            letter = DeadLetter(record, "handler", f"the processor raised {error!r}")
            self._letters[record.topic, record.offset] = letter
            return
        for record in records:
            until = self._careful_until.get(record.topic, 0)
            self._careful_until[record.topic] = max(until, record.offset + 1)

    def careful(self, positions: Mapping[str, int]) -> bool:
        """Suspects lie ahead: one record a step. ``positions`` go by full topic names."""
        return any(positions[topic] < until for topic, until in self._careful_until.items())

    def letter(self, record: LogRecord) -> DeadLetter | None:
        """The dead letter of a record that is known to raise."""
        return self._letters.get((record.topic, record.offset))
