"""Events of open panes that wait to be counted together: the price of a small batch is its calls.

With a thousand models in a chunk each has five events, and five cost nearly what sixty do.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, joined

#: So many events of one model don't wait.
ENOUGH = 256


class WaitingEvents:
    """Small batches of one model, in log order. Counting them can change nothing but counts."""

    def __init__(self) -> None:
        self._parts: list[tuple[EventBatch, NDArray[np.int64]]] = []
        self.rows = 0
        #: The earliest of their panes.
        self.first_pane = math.inf

    def add(self, batch: EventBatch, panes: NDArray[np.int64]) -> None:
        """Let events wait; ``panes`` (n,) are theirs, all of them open."""
        self._parts.append((batch, panes))
        self.rows += len(batch)
        self.first_pane = min(self.first_pane, int(panes.min()))

    def take(self) -> tuple[EventBatch, NDArray[np.int64]]:
        """All of them as one batch, and their panes (n,). Nothing waits then."""
        batches, panes = zip(*self._parts, strict=True)
        self._parts, self.rows, self.first_pane = [], 0, math.inf
        return joined(batches), np.concatenate(panes)
