"""How well scores order two classes, from the weights of both at each score or bin of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rounding that a bound allows beside the bins.
ROUNDING = 1e-12


def roc_figures(positive: Floats, negative: Floats, *, exact: bool) -> dict[str, float]:
    """Return the area, ties counted half, and by how much ties that are none can move it."""
    positives, negatives = float(positive.sum()), float(negative.sum())
    below = np.cumsum(negative) - negative
    pairs = positives * negatives
    area = float(positive @ (below + negative / 2)) / pairs
    error = 0.0 if exact else float(positive @ negative) / 2 / pairs + ROUNDING
    return {"roc_auc": min(area, 1.0), "roc_auc_error": error}


def precision_figures(positive: Floats, negative: Floats, *, exact: bool) -> dict[str, float]:
    """Return the average precision, and by how much ties that are none can move it."""
    positive, negative = positive[::-1], negative[::-1]
    hits, misses = np.cumsum(positive), np.cumsum(negative)
    some = positive > 0
    share = positive[some] / hits[-1]
    here = hits[some], misses[some]
    figure = float(share @ (here[0] / (here[0] + here[1])))
    figures = {"average_precision": min(figure, 1.0), "average_precision_error": 0.0}
    if not exact:
        # Of a bin's positives none is more precise than after all of them and none of the
        # negatives, and none less than before all of them and after the negatives.
        best = float(share @ (here[0] / (here[0] + here[1] - negative[some])))
        before = here[0] - positive[some]
        reached = np.maximum(before + here[1], np.finfo(np.float64).tiny)
        worst = float(share @ (before / reached))
        figures["average_precision_error"] = max(best - figure, figure - worst) + ROUNDING
    return figures
