"""The most frequent words of a feature, counted within a fixed budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from streamgauge.metrics.base import Metric

#: Distinct words that are counted one by one, and the longest that is kept.
CAP = 64
WORD_LENGTH = 64
#: A word that fewer events have is shown to nobody: it may be a person's.
FLOOR = 10


class HeavyHitters(Metric, name="heavy_hitters"):
    """Counts of the first ``cap`` distinct words in log order; the rest is counted together.

    While there are no more words than that, every count is exact, and spans add up in any order.
    Beyond, a merge keeps the most frequent words and throws the others to the rest: a word's count
    is then the least it can be, too low by ``overflow`` at most, and which words are kept can hang
    on the order of merges. So windows are built from their panes in one order, that of time.
    Events count once, also where each stands for several: the floor is there for people.

    Parameters
    ----------
    cap
        Distinct words that are counted one by one.

    Examples
    --------
    >>> h = HeavyHitters(cap=2)
    >>> h.update(["a"] * 12 + ["b", "c", "a", None])
    >>> h.top(5), h.n, h.overflow
    ([('a', 13)], 15, 1)

    References
    ----------
    Cormode, G. and Hadjieleftheriou, M. (2008). Finding frequent items in data streams. VLDB 1(2),
    1530-1541, for what better bounds would cost.
    """

    __slots__ = ("_counts", "cap", "overflow")

    def __init__(self, *, cap: int = CAP) -> None:
        self.cap = cap
        self._counts: dict[str, int] = {}
        #: Events whose word is not counted by itself.
        self.overflow = 0

    @property
    def n(self) -> int:
        """Events that had a word."""
        return sum(self._counts.values()) + self.overflow

    @property
    def distinct(self) -> int:
        """Distinct words, as far as they are counted one by one: ``cap`` means at least that."""
        return len(self._counts)

    def update(self, words: Iterable[str | None]) -> None:
        """Take words in log order; None is no word."""
        counts = self._counts
        # A counter keeps the order in which its keys came first.
        for word, count in Counter(words).items():
            if word is None:
                continue
            cut = word[:WORD_LENGTH]
            if cut in counts:
                counts[cut] += count
            elif len(counts) < self.cap:
                counts[cut] = count
            else:
                self.overflow += count

    def merge(self, other: Self) -> None:
        if other.cap != self.cap:
            raise ValueError("heavy hitters of different caps do not add up")
        counts = self._counts
        for word, count in other._counts.items():
            counts[word] = counts.get(word, 0) + count
        self.overflow += other.overflow
        if len(counts) > self.cap:
            for word in self._ranked()[self.cap :]:
                self.overflow += counts.pop(word)

    def _ranked(self) -> list[str]:
        return sorted(self._counts, key=lambda word: (-self._counts[word], word))

    def top(self, k: int, *, floor: int = FLOOR) -> list[tuple[str, int]]:
        """The k most frequent words and their counts, of those that ``floor`` events have."""
        return [
            (word, self._counts[word]) for word in self._ranked()[:k] if self._counts[word] >= floor
        ]

    def state(self) -> list[Any]:
        words = sorted(self._counts)
        counts = np.array([self._counts[word] for word in words], dtype=np.int64)
        return [self.cap, self.overflow, words, counts]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(cap=state[0])
        made.overflow = state[1]
        made._counts = dict(zip(state[2], state[3].tolist(), strict=True))
        return made

    def get(self) -> dict[str, float]:
        n = self.n
        return {"overflow_ratio": self.overflow / n} if n else {}
