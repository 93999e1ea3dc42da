"""All pending predictions of a model: blocks in log order, found by id, dropped from the front."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.block import BLOCK, Block, Rows
from streamgauge.labels.digest import Digests
from streamgauge.labels.index import Index, Places


class PendingTable:
    """Rows by number, counted since the first prediction. ``first`` ≤ number < ``end``."""

    def __init__(self) -> None:
        self.first = self.end = 0
        self.blocks: dict[int, Block] = {}
        self._index = Index()
        #: Blocks that are gone, and were perhaps written.
        self.dropped: list[int] = []

    def __len__(self) -> int:
        return self.end - self.first

    def append(self, rows: Rows, scores: NDArray[np.float64] | None) -> None:
        """Take rows behind the last; ``scores`` (n, classes) where the model gave some."""
        self._index.add(rows.digest, self.end)
        start = 0
        while start < len(rows):
            number = self.end // BLOCK
            block = self.blocks.get(number)
            if block is None:
                block = self.blocks[number] = Block()
            stop = min(start + block.room, len(rows))
            block.append(rows.part(start, stop), None if scores is None else scores[start:stop])
            self.end += stop - start
            start = stop

    def find(self, digests: Digests) -> Places:
        return self._index.find(digests)

    def at(self, number: int) -> tuple[Block, int]:
        """The block of a row, and the row's place in it."""
        return self.blocks[number // BLOCK], number % BLOCK

    def logged(self, number: int) -> float:
        block, place = self.at(number)
        return float(block.rows.logged[place])

    def logged_at(self, numbers: Places) -> NDArray[np.float64]:
        """The log's times (n,) when rows came; nan where there is no such row."""
        found = np.full(len(numbers), np.nan)
        for block, of, places in self.by_block(numbers):
            found[of] = block.rows.logged[places]
        return found

    def by_block(
        self, numbers: Places
    ) -> Iterator[tuple[Block, NDArray[np.intp], NDArray[np.int64]]]:
        """The blocks of rows that are there, with which of the numbers they hold, and where."""
        order = np.argsort(numbers // BLOCK, kind="stable")
        of = numbers[order] // BLOCK
        turns = [0, *(np.flatnonzero(np.diff(of)) + 1).tolist(), len(of)]
        for start, end in itertools.pairwise(turns if len(of) else []):
            which = order[start:end]
            which = which[numbers[which] >= self.first]
            if len(which):
                yield self.blocks[int(of[start])], which, numbers[which] % BLOCK

    def until(self, start: int, log_time: float, seconds: float) -> int:
        """The first row from ``start`` on that has not waited ``seconds`` by ``log_time``."""
        if start < self.end and self.logged(start) + seconds > log_time:
            return start
        for number, block in self._from(start):
            # The sum, as everywhere: a difference would round to the other side now and then.
            due = block.rows.logged[: block.n] + seconds
            if due[-1] > log_time:
                return max(number * BLOCK + int(np.searchsorted(due, log_time, "right")), start)
        return self.end

    def parts(
        self, start: int, stop: int
    ) -> Iterator[tuple[int, Rows, NDArray[np.float64] | None]]:
        """Copies of rows from ``start`` up to ``stop``, a block at a time, with first numbers."""
        for number, block in self._from(start):
            base = number * BLOCK
            if base >= stop:
                return
            low, high = max(start - base, 0), min(stop - base, block.n)
            if low < high:
                scores = block.scores[low:high].copy() if block.scores is not None else None
                yield base + low, block.rows.part(low, high), scores

    def drop(self, first: int) -> None:
        """Let go of rows below ``first``; their room is free once their block is."""
        for number in range(self.first // BLOCK, first // BLOCK):
            del self.blocks[number]
            self.dropped.append(number)
        self.first = first
        self._index.forget(first)

    def _from(self, start: int) -> Iterator[tuple[int, Block]]:
        for number in range(start // BLOCK, -(-self.end // BLOCK)):
            yield number, self.blocks[number]

    def state(self) -> list[Any]:
        return [self.first, self.end]

    def restore(self, state: list[Any], blocks: dict[int, Block]) -> None:
        self.first, self.end = state
        self.blocks = dict(sorted(blocks.items()))
        self._index = Index()
        self._index.first = self.first
        for number, block in self.blocks.items():
            self._index.add(block.rows.digest[: block.n], number * BLOCK)
