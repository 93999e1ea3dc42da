"""What waits for its truth to be learned: each prediction's features, and what candidates said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from streamgauge.labels.block import BLOCK

#: An answer as it is kept: a class, or a number; None where a candidate had none.
Said = str | float | None
#: Under what name the answer of the model's service is kept; no candidate is called so.
SERVED = ""


class Waiting(NamedTuple):
    """A prediction's features, all answers by name, and how many predictions it stands for."""

    features: Mapping[str, Any]
    said: dict[str, Said]
    weight: float


class Examples:
    """By the row's number in the join, in blocks that are written down like the join's."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._first = 0
        self._changed: set[int] = set()
        self._dropped: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, number: int, waiting: Waiting) -> None:
        self._waiting[number] = waiting
        self._changed.add(number // BLOCK)

    def get(self, number: int) -> Waiting | None:
        return self._waiting.get(number)

    def drop(self, first: int) -> None:
        """Let go of the blocks whose rows are all below ``first``."""
        gone = range(self._first // BLOCK, first // BLOCK)
        for number in range(gone.start * BLOCK, gone.stop * BLOCK):
            self._waiting.pop(number, None)
        self._dropped.update(gone)
        self._first = max(self._first, first)

    def changed_blocks(self) -> dict[str, list[Any] | None]:
        """State of blocks that changed since the last call, by name; None for what is gone."""
        changed: dict[str, list[Any] | None] = {f"f{number}": None for number in self._dropped}
        for block in sorted(self._changed - self._dropped):
            # Sorted: how decoding orders features tells what came before.
            changed[f"f{block}"] = [
                [number, dict(sorted(each.features.items())), each.said, each.weight]
                for number, each in self._rows(block)
            ]
        self._changed, self._dropped = set(), set()
        return changed

    def _rows(self, block: int) -> Iterator[tuple[int, Waiting]]:
        for number in range(block * BLOCK, (block + 1) * BLOCK):
            waiting = self._waiting.get(number)
            if waiting is not None:
                yield number, waiting

    def restore(self, first: int, blocks: Mapping[str, list[Any]]) -> None:
        """Become what all blocks described; blocks below row ``first`` are gone."""
        self._first = first
        for _, rows in sorted(blocks.items(), key=lambda item: int(item[0][1:])):
            for number, features, said, weight in rows:
                self._waiting[number] = Waiting(features, said, weight)
