"""Figures of predictions whose labels are still on their way: for readers, never for alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels import Released
from streamgauge.labels.names import NONE
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.truth.scored import Scored, Scorer, carrying
from streamgauge.monitor.truth.task import PositiveClass, Task

if TYPE_CHECKING:
    from streamgauge.monitor.truth.model_truth import ModelTruth

#: Predictions that are looked at.
NEWEST = 5_000

Key = tuple[str, str]


class Provisional(NamedTuple):
    """One (version, step). Times are in seconds since 1970.

    ``start`` and ``end`` are predictions' own times; ``logged`` is the median log time when they
    came.
    """

    performance: Performance
    task: Task
    classes: list[str]
    start: float
    end: float
    logged: float


class ProvisionalFigures:
    """Remembers what was found until another label comes, or predictions are released.

    A pure function of the truth's state: what is found again after a restore is the same.
    """

    def __init__(self) -> None:
        self._of: tuple[Any, ...] | None = None
        self._found: dict[Key, Provisional] = {}

    def of(self, truth: ModelTruth) -> dict[Key, Provisional]:
        """Figures by version and step of the newest predictions that wait for their labels."""
        join, scorer = truth.join, truth.scorer
        state = (
            join.released,
            join.counts.labels,
            join.counts.joined,
            len(join.said),
            len(join.truths),
            truth.task,
            scorer.positive.name,
            scorer.threshold,
            len(scorer.classes),
        )
        if state != self._of:
            self._of, self._found = state, _found(truth)
        return self._found


def _found(truth: ModelTruth) -> dict[Key, Provisional]:
    newest = truth.join.newest_open(NEWEST)
    if newest is None:
        return {}
    told = (truth.task, 0) if truth.task is not None else truth.tell(newest)
    if told is None:
        return {}
    task, rows = told[0], newest.rows
    scorer = _copied(truth.scorer)
    if task == "scores":
        scored = carrying(rows, {n - newest.first: each for n, each in newest.extras.items()})
    else:
        scored = scorer.score(task, rows, truth.join.said, truth.join.truths, newest.scores)
    members: dict[Key, list[int]] = {}
    for code in np.unique(rows.group).tolist():
        if code == NONE:
            continue
        group = truth.groups.names[code]
        members.setdefault((group.version, group.step), []).append(code)
    found: dict[Key, Provisional] = {}
    for key, codes in sorted(members.items()):
        inside = np.isin(rows.group, codes)
        own = _performance(task, newest, scored, inside)
        if own.parts:
            times = rows.time[inside]
            found[key] = Provisional(
                own,
                task,
                list(scorer.classes.names),
                float(times.min()),
                float(times.max()),
                float(np.median(rows.logged[inside])),
            )
    return found


def _copied(scorer: Scorer) -> Scorer:
    # Scoring names classes in the order of the log: rows that are not released must not.
    positive = PositiveClass(scorer.positive.declared)
    positive.restore(scorer.positive.state())
    made = Scorer(positive, scorer.threshold)
    made.classes.restore(scorer.classes.state())
    return made


def _performance(
    task: Task, newest: Released, scored: Scored, inside: NDArray[np.bool_]
) -> Performance:
    own, weights = Performance(), newest.rows.weight * newest.rows.label_weight
    own.count(newest.rows.weight[inside])
    own.take(task, scored.part(np.flatnonzero(inside[scored.rows])))
    if newest.extras:
        places = ((number - newest.first, each) for number, each in newest.extras.items())
        own.take_extras((each, float(weights[place])) for place, each in places if inside[place])
    return own
