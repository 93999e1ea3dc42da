"""Released rows as columns that can be scored: what was said, what was true, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.block import IMPLIED, LABELLED, Rows
from streamgauge.labels.names import NONE, Names
from streamgauge.labels.truth import Extras
from streamgauge.monitor.truth.task import PositiveClass, Task

#: Scores of all classes add up to 1 within this, or they are no probabilities.
SLACK = 0.02
NEGATIVE, POSITIVE = 0, 1

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Rows that have a truth which fits what was said, shape (n,) each.

    ``rows`` are their places among the rows that they were made from. ``wrong`` is 1.0 where the
    answer was wrong (regression: nan, see ``residual``). ``probability`` is that of the positive
    class (nan for none), ``confidence`` that of the class that was said. ``of_classes`` (n, k) are
    the scores of all classes and ``true_class`` the column of the true one, -1 where it has none;
    nan rows are no probabilities.
    """

    rows: Codes
    weight: Floats
    predicted: Codes
    truth: Codes
    wrong: Floats
    probability: Floats
    confidence: Floats
    said: Floats
    true_value: Floats
    of_classes: Floats | None = None
    true_class: Codes | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, kept: Codes | slice) -> Scored:
        """Some of the rows."""
        columns: list[Any] = [getattr(self, name) for name in self.__slots__]
        kept_of: list[Any] = [None if each is None else each[kept] for each in columns]
        return Scored(*kept_of)


class Scorer:
    """Makes ``Scored`` of rows by a task. Classes are numbered in the order of the log."""

    def __init__(self, positive: PositiveClass, threshold: float) -> None:
        self.positive, self.threshold = positive, threshold
        #: Classes of a multiclass model; of a binary one NEGATIVE and POSITIVE.
        self.classes = Names[str](most=100)

    def score(
        self, task: Task, rows: Rows, said: Names[str], truths: Names[str], scores: Floats | None
    ) -> Scored:
        """Score rows of any state; those without a fitting truth are left out."""
        if task == "binary":
            return self._binary(rows, said, truths)
        if task == "regression":
            return self._regression(rows)
        return self._multiclass(rows, said, truths, scores)

    def _binary(self, rows: Rows, said: Names[str], truths: Names[str]) -> Scored:
        self.positive.look([*said.names, *truths.names])
        truth = self._sides(rows.truth, truths)
        number = rows.truth_number
        truth = np.where((truth == NONE) & (number == 1.0), POSITIVE, truth)
        truth = np.where((truth == NONE) & (number == 0.0), NEGATIVE, truth)
        truth[rows.state == IMPLIED] = NEGATIVE
        predicted = self._sides(rows.predicted, said)
        proper = (rows.number >= 0.0) & (rows.number <= 1.0)
        bare = (predicted == NONE) & proper
        own = np.where(proper, rows.number, np.nan)
        probability = np.where(predicted == NEGATIVE, 1.0 - own, own)
        predicted = np.where(bare, (rows.number >= self.threshold).astype(np.intp), predicted)
        kept = np.flatnonzero(_known(rows) & (truth != NONE) & (predicted != NONE))
        predicted, truth, probability = predicted[kept], truth[kept], probability[kept]
        return Scored(
            kept,
            _weights(rows, kept),
            predicted,
            truth,
            (predicted != truth).astype(np.float64),
            probability,
            np.where(predicted == POSITIVE, probability, 1.0 - probability),
            rows.number[kept],
            number[kept],
        )

    def _sides(self, codes: NDArray[np.int32], names: Names[str]) -> Codes:
        # One place more, for rows without a name.
        sides = [POSITIVE if self.positive.holds(each) else NEGATIVE for each in names.names]
        found: Codes = np.array([*sides, NONE], dtype=np.intp)[codes]
        return found

    def _multiclass(
        self, rows: Rows, said: Names[str], truths: Names[str], scores: Floats | None
    ) -> Scored:
        predicted = self._named(rows.predicted, rows.number, said)
        truth = self._named(rows.truth, rows.truth_number, truths)
        kept = np.flatnonzero((rows.state == LABELLED) & (truth != NONE) & (predicted != NONE))
        confidence = np.where(rows.predicted[kept] == NONE, np.nan, rows.number[kept])
        proper = (confidence >= 0.0) & (confidence <= 1.0)
        nothing = np.full(len(kept), np.nan)
        columns = true_class = None
        if scores is not None:
            columns = scores[kept]
            given = np.nansum(columns, axis=1)
            bad = (np.abs(given - 1.0) > SLACK) | (np.nan_to_num(columns) < 0.0).any(axis=1)
            columns = np.where(bad[:, None], np.nan, np.nan_to_num(columns))
            places = [
                said.names.index(each) if each in said.names else NONE
                for each in self.classes.names
            ]
            true_class = np.array([*places, NONE], dtype=np.intp)[truth[kept]]
            true_class[true_class >= columns.shape[1]] = NONE
        return Scored(
            kept,
            _weights(rows, kept),
            predicted[kept],
            truth[kept],
            (predicted[kept] != truth[kept]).astype(np.float64),
            nothing,
            np.where(proper, confidence, np.nan),
            rows.number[kept],
            rows.truth_number[kept],
            columns,
            true_class,
        )

    def _named(self, codes: NDArray[np.int32], numbers: Floats, names: Names[str]) -> Codes:
        """Codes of this scorer; a number without a name is the class that is called so."""
        bare = (codes == NONE) & np.isfinite(numbers)
        if not bare.any():
            wanted = np.unique(codes)
            places = np.full(len(names.names) + 1, NONE, dtype=np.intp)
            first = (
                sorted(wanted.tolist(), key=codes.tolist().index)
                if len(wanted) > 1
                else wanted.tolist()
            )
            for code in first:
                if code != NONE:
                    places[code] = self.classes.code(names.names[code])
            return places[codes]
        listed = [
            (f"{number:g}" if lone else None) if code == NONE else names.names[code]
            for code, number, lone in zip(
                codes.tolist(), numbers.tolist(), bare.tolist(), strict=True
            )
        ]
        return self.classes.codes(listed).astype(np.intp)

    def _regression(self, rows: Rows) -> Scored:
        kept = np.flatnonzero(
            (rows.state == LABELLED) & np.isfinite(rows.number) & np.isfinite(rows.truth_number)
        )
        nothing = np.full(len(kept), np.nan)
        none = np.full(len(kept), NONE, dtype=np.intp)
        said, true = rows.number[kept], rows.truth_number[kept]
        return Scored(kept, _weights(rows, kept), none, none, nothing, nothing, nothing, said, true)


def carrying(rows: Rows, extras: Mapping[int, Extras]) -> Scored:
    """Rows whose labels carry scores or a value, where these are the whole truth there is.

    ``extras`` are by place. Nothing of the rows can be called wrong.
    """
    places = [
        place
        for place, each in sorted(extras.items())
        if (each.scores or each.value is not None) and rows.state[place] == LABELLED
    ]
    kept = np.array(places, dtype=np.intp)
    nothing, none = np.full(len(kept), np.nan), np.full(len(kept), NONE, dtype=np.intp)
    # By the weight of the prediction, as what they carry is.
    weight = rows.weight[kept].astype(np.float64)
    return Scored(kept, weight, none, none, nothing, nothing, nothing, nothing, nothing)


def _known(rows: Rows) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (rows.state == LABELLED) | (rows.state == IMPLIED)
    return known


def _weights(rows: Rows, kept: Codes) -> Floats:
    implied = rows.state[kept] == IMPLIED
    own = np.where(implied, 1.0, rows.label_weight[kept].astype(np.float64))
    return rows.weight[kept].astype(np.float64) * own
