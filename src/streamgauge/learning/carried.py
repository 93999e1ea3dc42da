"""Sums that do not depend on how a stream is cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def carried(start: float, terms: NDArray[np.float64]) -> float:
    """Add terms, shape (n,), one by one to ``start``: pairwise sums depend on where a cut is.

    >>> carried(1.0, np.array([0.5, 0.25]))
    1.75
    """
    if not len(terms):
        return start
    return float(np.add.accumulate(np.concatenate(([start], terms)))[-1])
