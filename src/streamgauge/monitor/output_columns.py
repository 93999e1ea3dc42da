"""What models said and how long it took, as columns like those of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ABSENT, CATEGORY, ERROR, NULL, NUMBER, Column, EventBatch
from streamgauge.monitor.step import LABEL, LATENCY, OUTPUT, SCORE


def output_columns(batch: EventBatch, rows: NDArray[np.intp]) -> dict[str, Column]:
    """Columns of the given rows, by target.

    A null output is missing, unless the prediction says that it failed: errors are counted apart.
    """
    labels = [batch.label[i] for i in rows.tolist()]
    null = batch.null_output[rows] & (batch.status[rows] != ERROR)
    nothing = np.full(len(rows), np.nan)
    named = [ABSENT if label is None else CATEGORY for label in labels]
    return {
        OUTPUT: Column(np.where(null, NULL, NUMBER).astype(np.int8), nothing),
        SCORE: _numbers(batch.score[rows]),
        LABEL: Column(np.array(named, dtype=np.int8), nothing, labels),
        LATENCY: _numbers(batch.latency_seconds[rows]),
    }


def _numbers(values: NDArray[np.float64]) -> Column:
    return Column(np.where(np.isnan(values), ABSENT, NUMBER).astype(np.int8), values)
