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
    the scores of all classes and ``true_class`` the column of the true one, k where it has none;
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
            return self._binary(rows, said, truths, scores)
        if task == "regression":
            return self._regression(rows)
        return self._multiclass(rows, said, truths, scores)

    def _binary(
        self, rows: Rows, said: Names[str], truths: Names[str], scores: Floats | None
    ) -> Scored:
        if self.positive.name is None:
            self._guess(rows, said, truths, scores)
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

    def _guess(
        self, rows: Rows, said: Names[str], truths: Names[str], scores: Floats | None
    ) -> None:
        """Guess the positive class from the first labelled row that names one."""
        labelled = np.flatnonzero(rows.state == LABELLED)
        if not len(labelled) or not any(map(self.positive.telling, [*said.names, *truths.names])):
            return
        odd_said = _told(rows.predicted[labelled], said, self.positive)
        odd_true = _told(rows.truth[labelled], truths, self.positive)
        for at in labelled[odd_said | odd_true][:1].tolist():
            codes = [int(rows.predicted[at])]
            if scores is not None:
                codes += np.flatnonzero(np.isfinite(scores[at])).tolist()
            names = [said.names[code] for code in codes if code != NONE]
            if rows.truth[at] != NONE:
                names.append(truths.names[rows.truth[at]])
            self.positive.look(names)

    def _sides(self, codes: NDArray[np.int32], names: Names[str]) -> Codes:
        # One place more, for rows without a name.
        sides = [POSITIVE if self.positive.holds(each) else NEGATIVE for each in names.names]
        found: Codes = np.array([*sides, NONE], dtype=np.intp)[codes]
        return found

    def _multiclass(
        self, rows: Rows, said: Names[str], truths: Names[str], scores: Floats | None
    ) -> Scored:
        predicted, truth = self._classes_of(rows, said, truths)
        kept = np.flatnonzero((truth != NONE) & (predicted != NONE))
        confidence = np.where(rows.predicted[kept] == NONE, np.nan, rows.number[kept])
        proper = (confidence >= 0.0) & (confidence <= 1.0)
        nothing = np.full(len(kept), np.nan)
        columns = true_class = None
        if scores is not None:
            # What is out of 0..1 stays so, and adds up.
            columns = np.clip(scores[kept], -1.0, 2.0)
            given = np.nansum(columns, axis=1)
            bad = (np.abs(given - 1.0) > SLACK) | (np.nan_to_num(columns) < 0.0).any(axis=1)
            columns = np.where(bad[:, None], np.nan, np.nan_to_num(columns))
            width = columns.shape[1]
            place = {name: at for at, name in enumerate(said.names[:width])}
            places = [place.get(name, width) for name in self.classes.names]
            true_class = np.array([*places, width], dtype=np.intp)[truth[kept]]
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

    def _classes_of(self, rows: Rows, said: Names[str], truths: Names[str]) -> tuple[Codes, Codes]:
        """Codes of what was said and what was true, (n,) each; ``NONE`` without a label, or both.

        Row by row, so that their order does not tell where the log was cut.
        """
        answers = _Answers(rows.predicted, rows.number, said)
        facts = _Answers(rows.truth, rows.truth_number, truths)
        keys = np.stack([answers.keys, facts.keys], axis=1)
        keys[(rows.state != LABELLED) | (keys == NONE).any(axis=1)] = NONE
        keys[:, 1] += np.where(keys[:, 1] == NONE, 0, len(answers.names))
        distinct, first, inverse = np.unique(keys.ravel(), return_index=True, return_inverse=True)
        names = answers.names + facts.names
        codes = np.full(len(distinct), NONE, dtype=np.intp)
        for at in np.argsort(first).tolist():
            if distinct[at] != NONE:
                codes[at] = self.classes.code(names[distinct[at]])
        found = codes[inverse].reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def _regression(self, rows: Rows) -> Scored:
        kept = np.flatnonzero(
            (rows.state == LABELLED) & np.isfinite(rows.number) & np.isfinite(rows.truth_number)
        )
        nothing = np.full(len(kept), np.nan)
        none = np.full(len(kept), NONE, dtype=np.intp)
        said, true = rows.number[kept], rows.truth_number[kept]
        return Scored(kept, _weights(rows, kept), none, none, nothing, nothing, nothing, said, true)


class _Answers:
    """A column of classes as keys (n,) of ``names``, ``NONE`` for no class.

    A number without a name is the class that is called so.
    """

    def __init__(self, codes: NDArray[np.int32], numbers: Floats, names: Names[str]) -> None:
        self.names = names.names
        self.keys = codes.astype(np.intp)
        bare = np.flatnonzero((codes == NONE) & np.isfinite(numbers))
        if len(bare):
            distinct, inverse = np.unique(numbers[bare], return_inverse=True)
            self.keys[bare] = len(names) + inverse
            self.names = names.names + [_called(number) for number in distinct.tolist()]


def _told(
    codes: NDArray[np.int32], names: Names[str], positive: PositiveClass
) -> NDArray[np.bool_]:
    """Which codes (n,) name a class that a guess can be made of."""
    telling = [positive.telling(name) for name in names.names]
    found: NDArray[np.bool_] = np.array([*telling, False])[codes]
    return found


def _called(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


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
    return Scored(
        kept, _weights(rows, kept), none, none, nothing, nothing, nothing, nothing, nothing
    )


def _known(rows: Rows) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (rows.state == LABELLED) | (rows.state == IMPLIED)
    return known


def _weights(rows: Rows, kept: Codes) -> Floats:
    implied = rows.state[kept] == IMPLIED
    own = np.where(implied, 1.0, rows.label_weight[kept].astype(np.float64))
    return rows.weight[kept].astype(np.float64) * own
