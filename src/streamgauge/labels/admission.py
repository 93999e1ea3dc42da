"""How many predictions may wait: beyond half a cap one in two, in four, in eight, by their ids."""

from __future__ import annotations

from typing import Any

#: The level is looked at after so many predictions, so that it does not matter how they come.
STEP = 64
#: Levels between half the cap and all of it; at the last, two billion predictions wait as a sample.
LEVELS = 16
#: Where the table is full nothing is admitted; one in 2**40 is nothing.
CLOSED = 40


class Admission:
    """The sampling level: a prediction that is admitted at level L stands for 2**L.

    The level is a function of how many wait. Each takes an equal part of the room, and at each
    twice as many predictions come as at the one before until that part is full: so the table finds
    a level for any rate and never overflows. What was admitted keeps the weight of its level, so
    sums stay unbiased while the level moves.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.level = 0
        self.seen = 0
        #: Records of the present chunk behind which the level was another, and which.
        self._before: list[tuple[int, int]] = []

    @property
    def until_step(self) -> int:
        """Predictions until the level is looked at again."""
        return STEP - self.seen % STEP

    def spacious(self, waiting: int, coming: int) -> bool:
        """Whether all that comes can be admitted as it is, whatever it is."""
        return not self.level and waiting + coming < self.cap // 2

    def look(self, waiting: int, record: int) -> None:
        """Choose the level; ``waiting`` are the rows that wait behind ``record`` of the chunk."""
        self._before.append((record, self.level))
        free = self.cap - self.cap // 2
        over = waiting - self.cap // 2
        # What one step may bring is kept free.
        if waiting + STEP > self.cap:
            self.level = CLOSED
        else:
            self.level = 0 if over < 0 else 1 + over * LEVELS // free

    def level_at(self, record: int) -> int:
        """The level that held at a record of the present chunk."""
        for last, level in self._before:
            if record <= last:
                return level
        return self.level

    def next_chunk(self) -> None:
        self._before = []

    def state(self) -> list[Any]:
        return [self.level, self.seen]

    def restore(self, state: list[Any]) -> None:
        self.level, self.seen = state
