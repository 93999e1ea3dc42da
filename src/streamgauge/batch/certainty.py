"""How sure a model was of what it said: confidence, margin and entropy, from its scores."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.structs import Output, ScoredLabel

#: Digits that are kept. More would depend on how sums are taken, and nobody reads them.
DIGITS = 6
#: Scores add up to 1 within this, or they are no probabilities and tell nothing of the kind.
SLACK = 0.02

Floats = NDArray[np.float64]


class Certainty(NamedTuple):
    """Per event, nan where the output does not tell: shape (n,) each.

    ``confidence`` is the greatest probability, ``margin`` its distance to the second, ``entropy``
    that of all classes, as a share of its maximum. Of two classes margin and entropy say nothing
    that confidence does not, so they are left out.
    """

    confidence: Floats
    margin: Floats
    entropy: Floats


def certainty(outputs: Sequence[Output]) -> Certainty:
    """Read the certainty of outputs. Only scored labels tell it.

    >>> known = certainty([ScoredLabel("a", scores={"a": 0.75, "b": 0.15, "c": 0.1}), 3.0])
    >>> known.margin.tolist(), known.confidence.tolist()
    ([0.6, nan], [0.75, nan])
    """
    made = np.full((3, len(outputs)), nan)
    if ScoredLabel not in set(map(type, outputs)):
        return Certainty(*made)
    by_classes: dict[int, tuple[list[int], list[list[float]]]] = {}
    for row, output in enumerate(outputs):
        if type(output) is not ScoredLabel:
            continue
        scores = output.scores
        if scores is not None and len(scores) > 1:
            rows, values = by_classes.setdefault(len(scores), ([], []))
            rows.append(row)
            values.append(list(scores.values()))
        elif (score := output.score) is not None and 0.0 <= score <= 1.0:
            made[0, row] = round(score, DIGITS)
    for rows, values in by_classes.values():
        made[:, rows] = of_scores(np.array(values))
    return Certainty(*made)


# What is no probability may be of any size, and is left out at the end.
@np.errstate(over="ignore", invalid="ignore")
def of_scores(scores: Floats) -> Floats:
    """Confidence, margin and entropy, shape (3, n), of scores (n, classes), two classes or more."""
    ranked = np.sort(scores, axis=1)[:, ::-1]
    total = np.zeros(len(ranked))
    spread = np.zeros(len(ranked))
    # Class by class: a sum along rows might be taken in another order for another number of rows.
    for p in ranked.T:
        total += p
        positive = np.maximum(p, 1e-300)
        spread -= np.where(p > 0.0, p * np.log(positive), 0.0)
    figures = np.stack(
        [ranked[:, 0], ranked[:, 0] - ranked[:, 1], spread / log(ranked.shape[1])], axis=0
    )
    if ranked.shape[1] == 2:
        figures[1:] = nan
    proper = (ranked[:, -1] >= 0.0) & (np.abs(total - 1.0) <= SLACK)
    return np.where(proper, np.round(np.clip(figures, 0.0, 1.0), DIGITS), nan)
