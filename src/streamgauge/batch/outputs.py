"""What models said, as columns: scores and labels, whatever form the outputs have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.structs import Output, ScoredLabel


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Outputs of predictions, one row each.

    ``scores`` is nan and ``labels`` None where an output has none; ``null`` marks outputs that are
    null. A vector has neither score nor label, and is not null.
    """

    scores: NDArray[np.float64]
    labels: list[str | None]
    null: NDArray[np.bool_]


def output_columns(outputs: Sequence[Output]) -> Outputs:
    """Turn outputs into columns.

    >>> columns = output_columns([0.5, True, "cat", ScoredLabel("dog", scores={"dog": 0.9}), None])
    >>> columns.scores.tolist(), columns.labels, columns.null.tolist()[-1]
    ([0.5, nan, nan, 0.9, nan], [None, 'true', 'cat', 'dog', None], True)
    """
    n = len(outputs)
    if set(map(type, outputs)) <= {float}:
        # A model says numbers or it does not: nearly every chunk of a regressor ends here.
        return Outputs(np.array(outputs, dtype=np.float64), [None] * n, np.zeros(n, dtype=np.bool_))
    scores, labels = zip(*map(_score_and_label, outputs), strict=True)
    return Outputs(
        np.array(scores, dtype=np.float64),
        list(labels),
        np.array([output is None for output in outputs], dtype=np.bool_),
    )


def class_scores(outputs: Sequence[Output]) -> list[Mapping[str, float] | None]:
    """What each class was given, one row each; None for outputs of fewer than three classes.

    Of two classes the score of one tells the other's.
    """
    if ScoredLabel not in set(map(type, outputs)):
        return [None] * len(outputs)
    return [
        output.scores
        if type(output) is ScoredLabel and output.scores is not None and len(output.scores) > 2
        else None
        for output in outputs
    ]


def _score_and_label(output: Output) -> tuple[float, str | None]:
    if isinstance(output, ScoredLabel):
        score = output.score
        if score is None and output.scores is not None:
            score = output.scores.get(output.label)
        return (nan if score is None else score), output.label
    if isinstance(output, bool):
        return nan, "true" if output else "false"
    if isinstance(output, float):
        return output, None
    return nan, output if isinstance(output, str) else None
