"""Gives a model's predictions to its truth: many at a time, and before anything asks for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, joined
from streamgauge.labels import Truth
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import AlarmEvent

#: From so many on they are given at once: the price is per batch.
ENOUGH = 256
#: A record of an earlier chunk.
EARLIER = -1


class TruthFeed:
    """Holds back a few predictions until there are more, or until time or a label needs them."""

    def __init__(self, truth: ModelTruth) -> None:
        self.truth = truth
        self._batches: list[EventBatch] = []
        self._logged: list[NDArray[np.float64]] = []
        self._rows = 0
        #: The log time from which what is held back could be due.
        self._due = math.inf

    def crowded(self, coming: int) -> bool:
        """Whether so many predictions more are too many for a model that has no label yet."""
        truth = self.truth
        return not truth.asked and not truth.join.spacious(self._rows + coming)

    def take(self, batch: EventBatch, logged: NDArray[np.float64]) -> None:
        """Take predictions and the log's times (n,) when they came, in log order."""
        if batch.kind != "prediction" or len(batch) >= ENOUGH:
            self.give()
            self.truth.admit(batch, logged)
            return
        if not self._rows:
            self._due = self.truth.first_due(float(logged[0]))
        self._batches.append(batch)
        self._logged.append(logged)
        self._rows += len(batch)
        if self._rows >= ENOUGH:
            self.give()

    def give(self) -> None:
        """Hold nothing back."""
        if self._rows:
            batch, logged = joined(self._batches), np.concatenate(self._logged)
            self._batches, self._logged, self._rows, self._due = [], [], 0, math.inf
            self.truth.admit(batch, logged)

    def begin(self, log_time: float) -> None:
        """Hear the first time of a log; what came before it came then."""
        self.truth.join.early.begin(log_time)

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec from here on."""
        self.give()
        self.truth.configure(spec)

    def label(
        self,
        ids: Sequence[str],
        truths: Sequence[Truth],
        at: Sequence[float],
        records: Sequence[int],
    ) -> None:
        """Take labels in log order, after the predictions of the same chunk; see the join."""
        self.give()
        self.truth.label(ids, truths, at, records)

    def advance(self, log_time: float, *, heard: bool = False) -> list[AlarmEvent] | None:
        """End a chunk at a log time; ``heard`` where labels came with it.

        None where nothing came of it, so nothing changed that must be kept.
        """
        if not heard and log_time < self._due and not self.truth.due(log_time):
            for batch in self._batches:
                batch.row[:] = EARLIER
            return None
        self.give()
        return self.truth.advance(log_time)

    def changes(self) -> dict[str, Any]:
        """State that changed since the last call, by the field's suffix; None for what is gone."""
        self.give()
        truth = self.truth
        changed: dict[str, Any] = {}
        if truth.changed:
            changed["truth"] = truth.state()
            changed |= truth.join.changed_blocks()
        if truth.judged:
            changed["judged"] = truth.judged_state()
        truth.changed = truth.judged = False
        return changed

    def restore(self, fields: dict[str, Any]) -> None:
        """Become what all changes so far described."""
        state, judged = fields.pop("truth", None), fields.pop("judged", None)
        if state is not None:
            self.truth.restore(state, judged, fields)
