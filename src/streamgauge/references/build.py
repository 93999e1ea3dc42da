"""Turn a training file's rows into a reference profile."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from streamgauge.references.bins import (
    CATEGORY_LENGTH,
    LARGEST,
    Bins,
    category_bins,
    numeric_bins,
)
from streamgauge.references.profile import ReferenceProfile, TargetReference

#: Most rows that are kept; of longer files every k-th is, and the counts say so.
MOST_ROWS = 200_000
#: Blocks that a sample in order of time is cut into (judgement: 30).
BLOCKS = 30


def build_profile(
    rows: Iterable[Mapping[str, Any]],
    *,
    model: str,
    step: str = "",
    version: str | None = None,
    outputs: Mapping[str, str] | None = None,
    ordered: bool = False,
    source: str = "",
    of: int | None = None,
) -> ReferenceProfile:
    """Build a profile of rows, each a mapping from column to number, string, bool or None.

    Parameters
    ----------
    outputs
        Which columns are the model's output: column → ``output.score`` or ``output.label``.
        The other columns are features.
    ordered
        Whether the rows stand in order of time. Then blocks of them tell how much windows differ
        by themselves; otherwise that is learned from the first live windows.
    of
        How many rows there are, where ``rows`` is every k-th of them already, at most
        ``MOST_ROWS``; else all are given.

    Raises
    ------
    ValueError
        No rows, or a column that holds numbers and words.
    """
    columns: dict[str, list[Any]] = {}
    n = 0
    for row in rows:
        for name, value in row.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = [None] * n
            column.append(value)
        n += 1
        for column in columns.values():
            if len(column) < n:
                column.append(None)
    if not n:
        raise ValueError("there are no rows to build a reference from")
    renamed = dict(outputs or {})
    targets = {}
    every = math.ceil(n / MOST_ROWS)
    for name, column in columns.items():
        target = _target(name, column, every=every, ordered=ordered)
        if target is not None:
            targets[renamed.get(name, name)] = target
    total = n if of is None else of
    return ReferenceProfile(model, targets, total, step=step, version=version, source=source)


def _target(
    name: str, column: Sequence[Any], *, every: int, ordered: bool
) -> TargetReference | None:
    mean: float | None
    std: float | None
    rows = range(0, len(column), every)
    present = [(i, column[i]) for i in rows if not _missing(column[i])]
    missing = 1 - len(present) / len(rows)
    if not present:
        return None
    numbers = [not isinstance(value, str | bool) for _, value in present]
    if all(numbers):
        values = np.array([float(value) for _, value in present])
        numeric = numeric_bins(values)
        made: Bins = numeric
        places = numeric.place(values)
        bounded = np.clip(values, -LARGEST, LARGEST)
        mean, std = float(bounded.mean()), float(bounded.std())
    elif not any(numbers):
        words = [_word(value)[:CATEGORY_LENGTH] for _, value in present]
        categories = category_bins(words)
        if categories is None:
            return None
        made, places, mean, std = categories, categories.place(words), None, None
    else:
        first = next(i for (i, _), number in zip(present, numbers, strict=True) if not number)
        raise ValueError(f"column {name!r} holds numbers and words (row {first + 1} is a word)")
    counts = np.bincount(places, minlength=made.size)
    blocks = np.zeros((0, made.size), dtype=np.int64)
    if ordered and len(places) >= 20 * BLOCKS:
        parts = np.array_split(places, BLOCKS)
        blocks = np.stack([np.bincount(part, minlength=made.size) for part in parts])
    return TargetReference(
        "numeric" if all(numbers) else "categorical",
        made,
        counts.astype(np.int64),
        missing,
        mean,
        std,
        blocks.astype(np.int64),
    )


def _missing(value: Any) -> bool:
    # A whole number may be larger than any double; a NaN is no number at all.
    return value is None or (
        isinstance(value, int | float) and not abs(value) <= sys.float_info.max
    )


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
