"""What a join hands out: rows whose truth is settled for now, and what changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.block import Rows
from streamgauge.labels.truth import Extras, Truth


@dataclass(frozen=True, slots=True)
class JoinRule:
    """How long predictions wait for labels, and how many may.

    Parameters
    ----------
    horizon
        Seconds of log time after which a prediction is settled, labelled or not.
    cap
        Predictions that may wait.
    implied_after
        Seconds after which a missing label means ``implied``, the negative class; None for never.
    """

    horizon: float = 86_400.0
    cap: int = 100_000
    implied_after: float | None = None

    @property
    def patience(self) -> float:
        """Seconds after which a row without a label holds up no other."""
        return self.horizon if self.implied_after is None else min(self.horizon, self.implied_after)


class Released(NamedTuple):
    """Rows in prediction order whose truth is settled for now, from row ``first`` on."""

    first: int
    rows: Rows
    scores: NDArray[np.float64] | None
    extras: dict[int, Extras]


class Joined(NamedTuple):
    """The first truth of a row, and the record by which both were there; None where implied.

    It may be a withdrawal.

    ``after`` tells truths that time brought from those of the record itself, which came before.
    """

    record: int
    after: int
    number: int
    truth: Truth | None
    #: The log's time by which both were there, in seconds since 1970.
    at: float


class Amendment(NamedTuple):
    """One row whose truth changed after it was released: before and after."""

    before: Released
    after: Released


def merged(out: list[Released | Amendment]) -> list[Released | Amendment]:
    """The same with what was released without a break as one: the price is per piece."""
    merged: list[Released | Amendment] = []
    run: list[Released] = []
    for each in [*out, None]:
        if isinstance(each, Released):
            run.append(each)
            continue
        if run:
            merged.append(one(run))
            run = []
        if each is not None:
            merged.append(each)
    return merged


def one(run: list[Released]) -> Released:
    if len(run) == 1:
        return run[0]
    width = max((each.scores.shape[1] for each in run if each.scores is not None), default=0)
    scores = None
    if width:
        scores = np.full((sum(len(each.rows) for each in run), width), np.nan)
        start = 0
        for each in run:
            if each.scores is not None:
                scores[start : start + len(each.rows), : each.scores.shape[1]] = each.scores
            start += len(each.rows)
    extras = {number: extra for each in run for number, extra in each.extras.items()}
    return Released(run[0].first, Rows.joined([each.rows for each in run]), scores, extras)
