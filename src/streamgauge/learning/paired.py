"""Losses of two models on the same events, as differences in [-1, 1]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def clipped_losses(losses: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    """Losses, shape (n,), as shares of a bound: 0 is none, 1 is the bound or more.

    A 0/1 loss has the bound 1. Log loss and squared error have none of their own: a declared one
    makes a test possible, and what is compared is then the clipped loss. Raises ``ValueError``
    for a loss that is no finite number.

    >>> clipped_losses(np.array([0.0, 2.0, 9.0]), bound=4.0).tolist()
    [0.0, 0.5, 1.0]
    """
    if not 0.0 < bound < math.inf:
        raise ValueError(f"the bound of a loss is a finite number above 0, not {bound!r}")
    if not np.isfinite(losses).all():
        raise ValueError("a loss is a finite number: leave out events without an output or a label")
    # Clipped first: a quotient may overflow.
    return np.clip(losses, 0.0, bound) / bound
