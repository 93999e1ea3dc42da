"""Sums of weighted rows that do not depend on how a stream was cut into calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Up to so many terms are added one by one in Python.
FEW = 16
#: What is left of a sum that lost all its rows: by so much of it rounding can be off.
RESIDUE = 1e-11
#: Whole numbers up to here are exact in a float.
EXACT = 2.0**53


def row_weights(weights: Floats | None, rows: int) -> Floats:
    """Return the weights (rows,) of ``rows`` events, 1.0 each where there are none.

    Raises ``ValueError`` for another shape, and for weights that are negative, infinite or NaN.
    """
    if weights is None:
        return np.ones(rows)
    if weights.shape != (rows,):
        raise ValueError(f"{rows} rows and weights of shape {weights.shape}: give one per row")
    # Written so that NaN fails too.
    if rows and not (weights.min() >= 0.0 and weights.max() < math.inf):
        raise ValueError("a weight is negative or not finite: leave such rows out")
    return np.asarray(weights, dtype=np.float64)


def same_rows(**columns: NDArray[Any]) -> int:
    """Return how many rows the columns have. Raises ``ValueError`` where they differ."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"columns of one batch have different lengths: {told}")
    return next(iter(lengths.values()))


def only_finite(**columns: Floats) -> None:
    """Raise ``ValueError`` where a column holds NaN or an infinity."""
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise ValueError(f"{name} holds NaN or an infinity: leave such rows out")


def only_ratios(**columns: Floats) -> None:
    """Raise ``ValueError`` where a column leaves 0..1 or holds NaN."""
    for name, column in columns.items():
        if column.size and not (column.min() >= 0.0 and column.max() <= 1.0):
            raise ValueError(f"{name} must be within 0..1 and not NaN: leave other rows out")


def carried(start: float, terms: Floats) -> float:
    """Sum in order from ``start``: pairwise summation would depend on how a batch was cut."""
    if len(terms) <= FEW:
        for term in terms.tolist():
            start += term
        return start
    return float(np.add.accumulate(np.concatenate(([start], terms)))[-1])


def left(whole: Floats, part: Floats) -> Floats:
    """Return sums of weights without a part of each, 0 where only rounding is left of them.

    Fractions do not add up exactly: 0.1 + 2.5 - 0.1 - 2.5 would leave a class without a row.
    """
    found = whole - part
    return np.where(np.abs(found) <= RESIDUE * np.abs(whole), 0.0, found)


def effective(total: float, squares: float) -> float:
    """Return how many events of equal weight are worth as much: Kish's (Σw)² ÷ Σw².

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley, section 11.7.
    """
    return total * total / squares if squares else 0.0


def compact(cells: Floats) -> NDArray[Any]:
    """Whole numbers as integers, which a state holds in a byte or two each; others as they are."""
    if len(cells) and (cells.max() > EXACT or (cells != np.floor(cells)).any()):
        return cells.copy()
    return cells.astype(np.int64)
