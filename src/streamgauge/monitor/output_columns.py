"""What models said and how long it took, as columns like those of features."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ABSENT, CATEGORY, ERROR, NULL, NUMBER, Column, EventBatch
from streamgauge.monitor.step import (
    CONFIDENCE,
    ENTROPY,
    LABEL,
    LATENCY,
    MARGIN,
    OUTPUT,
    SCORE,
)

T = TypeVar("T")


def picked(values: list[T], rows: NDArray[np.intp]) -> list[T]:
    """The values of rows, which are in order and each but once."""
    return values if len(rows) == len(values) else [values[row] for row in rows.tolist()]


def output_columns(
    batch: EventBatch, rows: NDArray[np.intp], *, binary: bool = False
) -> dict[str, Column]:
    """Columns of the given rows, by target.

    A null output is missing, unless the prediction says that it failed: errors are counted apart.
    A ``binary`` model's number from 0 to 1 is a probability, so it tells how sure the model is.
    """
    labels = picked(batch.label, rows)
    among = slice(None) if len(rows) == len(batch) else rows
    null = batch.null_output[among] & (batch.status[among] != ERROR)
    nothing = np.full(len(rows), np.nan)
    if labels.count(None) == len(labels):
        named = np.full(len(labels), ABSENT, dtype=np.int8)
    else:
        named = np.array([ABSENT if label is None else CATEGORY for label in labels], np.int8)
    return {
        OUTPUT: Column(np.where(null, NULL, NUMBER).astype(np.int8), nothing),
        SCORE: _numbers(batch.score[among]),
        LABEL: Column(named, nothing, labels),
        LATENCY: _numbers(batch.latency_seconds[among]),
        CONFIDENCE: _numbers(_confidence(batch, among, binary=binary)),
        MARGIN: _numbers(batch.margin[among]),
        ENTROPY: _numbers(batch.entropy[among]),
    }


def _confidence(
    batch: EventBatch, rows: NDArray[np.intp] | slice, *, binary: bool
) -> NDArray[np.float64]:
    known = batch.confidence[rows]
    if not binary:
        return known
    score = batch.score[rows]
    bare = np.isnan(known) & (score >= 0.0) & (score <= 1.0)
    return np.where(bare, np.maximum(score, 1.0 - score), known)


def _numbers(values: NDArray[np.float64]) -> Column:
    return Column(np.where(np.isnan(values), ABSENT, NUMBER).astype(np.int8), values)
