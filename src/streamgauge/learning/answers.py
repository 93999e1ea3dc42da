"""What was true and what was answered, as candidates learn it and are compared by it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from streamgauge.labels import LabelJoin, Released, Truth
from streamgauge.labels.block import IMPLIED, LABELLED, MISSING
from streamgauge.labels.names import NONE
from streamgauge.learning.examples import Said
from streamgauge.learning.losses import loss
from streamgauge.learning.words import Words
from streamgauge.specs.model_spec import ModelSpec


class Row(NamedTuple):
    """A released row with a truth, as the join keeps it."""

    number: int
    logged: float
    state: int
    truth: int
    truth_number: float


class Answers:
    """Truths and answers of one task, told in one order; see ``Words`` for why the order counts.

    Classes are their names, a number without a name is the class that is called so. Of a binary
    model a bare score becomes a class by the spec's threshold; one outside 0..1 is no answer.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._words = Words(spec.labels.positive)
        #: What losses are divided by; None while it is not known.
        self.bound: float | None = None
        self.configure(spec)

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec."""
        self._task, self._threshold = spec.task, spec.labels.threshold
        self._words.declare(spec.labels.positive)

    def truth(self, label: Truth | None) -> str | float | None:
        """The truth of a label, told next; of None that of a label that never came.

        None where it is none of the task's.
        """
        if label is None:
            return None if self._task == "regression" else self._words.negative
        return self._told(label.number, label.name)

    def row_truth(self, row: Row, join: LabelJoin) -> str | float | None:
        """The truth of a released row, told next."""
        if row.state == IMPLIED:
            return self.truth(None)
        name = join.truths.names[row.truth] if row.truth != NONE else None
        return self._told(row.truth_number, name)

    def _told(self, number: float, name: str | None) -> str | float | None:
        if self._task == "regression":
            return None if math.isnan(number) else number
        if name is None:
            if math.isnan(number):
                return None
            name = f"{number:g}"
        self._words.look(name)
        return name

    def said(self, name: str | None, number: float) -> Said:
        """What a service answered: a class, and a number (nan for none)."""
        if self._task == "regression":
            return None if math.isnan(number) else number
        if name is not None:
            return name
        if math.isnan(number):
            return None
        if self._task == "binary":
            return number if 0.0 <= number <= 1.0 else None
        return f"{number:g}"

    def lost(self, said: Said, truth: str | float) -> float | None:
        """What an answer cost; None where there was none."""
        if self._task != "binary":
            return loss(said, truth)
        if said is None or not isinstance(truth, str):
            return None
        positive = self._words.positive
        yes = positive(said) if isinstance(said, str) else said >= self._threshold
        return 0.0 if yes == positive(truth) else 1.0

    def state(self) -> list[Any]:
        return self._words.state()

    def restore(self, state: list[Any]) -> None:
        self._words.restore(state)


def scorable(part: Released) -> Iterator[Row | None]:
    """Released rows as they are compared; None for those that have no truth."""
    rows = part.rows
    columns = (rows.logged, rows.state, rows.truth, rows.truth_number)
    for number, row in enumerate(
        zip(*(each.tolist() for each in columns), strict=True), part.first
    ):
        yield Row(number, *row) if row[1] in (LABELLED, IMPLIED) else None


def released_at(part: Released, came: Mapping[int, int], join: LabelJoin, last: int) -> list[int]:
    """For each released row the record of the chunk by which it was; -1 for one before it.

    ``came`` are the records of this chunk's truths by row, ``last`` is what held for the row
    before: rows are released in order, each as soon as the ones before it are.
    """
    found = []
    due = np.searchsorted(join.log_times, part.rows.logged + join.rule.patience).tolist()
    most = max(len(join.log_times) - 1, 0)
    for place, state in enumerate(part.rows.state.tolist()):
        record = due[place] if state == MISSING else came.get(part.first + place, -1)
        # Without records, time passes by itself.
        last = max(last, min(record, most))
        found.append(last)
    return found
