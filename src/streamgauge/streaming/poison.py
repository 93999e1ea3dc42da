"""A record that makes the processor raise is found, and becomes a dead letter.

After such a failure the state is half done, so it is dropped and the records are replayed from the
last checkpoint one by one, until the one that raises is alone. Its outcome is the same at every
replay. Where one record after the other raises, the processor is at fault and not they.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamgauge.processing import DeadLetter, LogRecord

#: Records in a row that may be blamed. Good ones would be buried beyond it.
MOST_IN_A_ROW = 20


class Poison:
    """What is known of records that raise, over the reloads of one partition number."""

    def __init__(self) -> None:
        self._letters: dict[tuple[str, int], DeadLetter] = {}
        self._careful_until: dict[str, int] = {}
        #: How far good records ever came: what lies before it is a replay and proves nothing.
        self._passed: dict[str, int] = {}
        #: Blamed since the last good record, and the first of them.
        self.in_a_row = 0
        self.first = ""

    def found(self, records: Sequence[LogRecord], error: BaseException) -> bool:
        """One of these raised. A single one is the culprit; of many, each is a suspect.

        False: there were too many in a row, and none of them is to be buried.
        """
        if len(records) == 1:
            return self._blame(records[0], error)
        for record in records:
            until = self._careful_until.get(record.topic, 0)
            self._careful_until[record.topic] = max(until, record.offset + 1)
        return True

    def passed(self, positions: Mapping[str, int]) -> None:
        """Good records were taken up to these positions, by full topic names."""
        for topic, position in positions.items():
            if position > self._passed.get(topic, -1):
                self._passed[topic] = position
                self.in_a_row = 0

    def careful(self, positions: Mapping[str, int]) -> bool:
        """Suspects lie ahead: one record a step. ``positions`` go by full topic names."""
        return any(positions[topic] < until for topic, until in self._careful_until.items())

    def letters(self, records: Sequence[LogRecord]) -> dict[int, DeadLetter]:
        """Dead letters of records that are known to raise, by their index."""
        if not self._letters:
            return {}
        found = (self._letters.get((record.topic, record.offset)) for record in records)
        return {index: letter for index, letter in enumerate(found) if letter is not None}

    def _blame(self, record: LogRecord, error: BaseException) -> bool:
        if not self.in_a_row:
            self.first = f"{record.topic}, offset {record.offset}"
        self.in_a_row = min(self.in_a_row + 1, MOST_IN_A_ROW + 1)
        if self.in_a_row > MOST_IN_A_ROW:
            # Those that no checkpoint has passed yet get another chance, later.
            self._letters.clear()
            return False
        letter = DeadLetter(record, "handler", f"the processor raised {error!r}")
        self._letters[record.topic, record.offset] = letter
        return True
