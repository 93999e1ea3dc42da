"""The classes that labels name, in the order in which they came, and which of two is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamgauge.monitor.truth.task import NEGATIVES, TRUE, PositiveClass

#: Words that are kept. Of a binary model two say all.
MOST = 100


class Words:
    """Class names, told one by one in an order that the log defines.

    Not those of the join: it names a chunk's labels before it looks at any, so what it knows tells
    how the log was cut.

    Parameters
    ----------
    declared
        The positive class by the spec. Else it is guessed from the first two words, as
        ``PositiveClass`` does.
    """

    def __init__(self, declared: str | None) -> None:
        self._words: list[str] = []
        self._known: set[str] = set()
        self._positive = PositiveClass(declared)

    def declare(self, positive: str | None) -> None:
        """Go by another spec."""
        self._positive.declared = positive

    def look(self, word: str) -> None:
        """Take the next word."""
        if word in self._known or len(self._words) >= MOST:
            return
        self._known.add(word)
        self._words.append(word)
        self._guess()

    def _guess(self) -> None:
        others = [w for w in self._words[:2] if w not in TRUE and w not in NEGATIVES]
        self._positive.guessed = max(others, default=None)

    def positive(self, word: str) -> bool:
        """Whether a class is the one that is looked for."""
        return self._positive.holds(word)

    @property
    def negative(self) -> str:
        """What the other class is called: as labels called it, else ``false``."""
        return next((word for word in self._words if not self.positive(word)), "false")

    def state(self) -> list[Any]:
        return list(self._words)

    def restore(self, words: Sequence[str]) -> None:
        self._words, self._known = list(words), set(words)
        self._guess()
