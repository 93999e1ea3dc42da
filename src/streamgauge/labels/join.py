"""Labels meet predictions, in event time, whatever order the topics came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.admitting import Admitting
from streamgauge.labels.block import BLOCK, LABELLED, Block, Rows
from streamgauge.labels.counts import JoinCounts
from streamgauge.labels.early import extras_from
from streamgauge.labels.released import JoinRule, Released, one


class LabelJoin(Admitting):
    """The join of one model on one partition. A pure function of its records.

    Predictions wait in log order. A prefix of them is *released*: each row of it has its label, or
    has waited long enough. So what is released is complete, in prediction order, and not selected
    by how fast labels come. Until ``horizon`` has passed a correction amends it; then the row is
    *settled* and gone.
    """

    def set_rule(self, rule: JoinRule) -> None:
        """Go by another rule from here on; what was released stays so."""
        self.rule = rule
        self.admission.cap = rule.cap
        self._gone = self.table.first
        self._set_wake()

    def open_rows(self) -> Iterator[tuple[int, Rows, NDArray[np.float64] | None]]:
        """Rows that are not released yet."""
        return self.table.parts(self.released, self.table.end)

    def newest_open(self, most: int) -> Released | None:
        """At most ``most`` rows that are not released yet, up to the newest that has a label.

        For provisional figures: what came behind that row says nothing yet. None where no open row
        has a label. Looks at every open block at worst: a millisecond for half a million rows.
        """
        if self.released >= self.table.end:
            return None
        for number in range((self.table.end - 1) // BLOCK, self.released // BLOCK - 1, -1):
            block = self.table.blocks[number]
            low = max(self.released - number * BLOCK, 0)
            labelled = np.flatnonzero(block.rows.state[low : block.n] == LABELLED)
            if len(labelled):
                stop = number * BLOCK + low + int(labelled[-1]) + 1
                parts = self.table.parts(max(self.released, stop - most), stop)
                return one([Released(n, r, s, self._extras(n, len(r))) for n, r, s in parts])
        return None

    @property
    def pending(self) -> int:
        """Predictions that wait for their labels."""
        return len(self.table) - (self.released - self.table.first)

    def state(self) -> list[Any]:
        """All but the rows. ``take`` must have been called."""
        return [
            self.table.state(),
            self.admission.state(),
            self.early.state(),
            self.counts.state(),
            self.said.state(),
            self.truths.state(),
            self._annotators.state(),
            [[number, list(each)] for number, each in sorted(self.extras.items())],
            self.released,
        ]

    def changed_blocks(self) -> dict[str, list[Any] | None]:
        """State of blocks that changed since the last call, by name; None for those that are gone.

        ``p<number>`` holds predictions, ``l<number>`` their labels.
        """
        changed: dict[str, list[Any] | None] = {}
        for number in self.table.dropped:
            changed[f"p{number}"] = changed[f"l{number}"] = None
        self.table.dropped = []
        for number, block in self.table.blocks.items():
            if block.changed:
                changed[f"p{number}"] = block.state()
            if block.labelled:
                changed[f"l{number}"] = block.label_state()
            block.changed = block.labelled = False
        return changed

    def restore(self, state: list[Any], blocks: dict[str, Any]) -> None:
        """Become what ``state`` and all blocks described."""
        table, admission, early, counts, said, truths, annotators, extras, released = state
        numbers = sorted(int(name[1:]) for name in blocks if name.startswith("p"))
        self.table.restore(
            table, {n: Block.from_state(blocks[f"p{n}"], blocks.get(f"l{n}")) for n in numbers}
        )
        self.admission.restore(admission)
        self.early.restore(early)
        self.counts = JoinCounts.from_state(counts)
        self.said.restore(said)
        self.truths.restore(truths)
        self._annotators.restore(annotators)
        self.extras = {number: extras_from(each) for number, each in extras}
        self.released = self._told = released
        self._limit = self.table.end
        self._set_wake()
        self._gone = self.table.first
