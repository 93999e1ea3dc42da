"""What users did, as it stands in the log, and the pane in which it counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch
from streamgauge.windows.watermark import Watermark


class Act(NamedTuple):
    """What a user did: the record's index in the chunk, event time, kind, and on what.

    ``interaction`` tells that ``subject`` is an interaction's id, and not a prediction's.
    """

    row: int
    timestamp: float
    kind: str
    subject: str
    interaction: bool


def panes_of(
    acts: Sequence[Act],
    batches: Sequence[EventBatch],
    watermark: Watermark,
    log_before: NDArray[np.float64],
) -> list[int]:
    """Pane of each act: that of its own time, or the first that was open where it stands.

    ``batches`` are the predictions of the same chunk, not yet observed by ``watermark``, which
    stays as it is; ``log_before`` (records,) is the log's time before each record of the chunk. So
    it does not matter that acts are taken before the predictions between which they stand.
    """
    of_acts = np.array([act.row for act in acts], dtype=np.int64)
    nothing = np.full(len(acts), -np.inf)
    rows = np.concatenate([*(b.row for b in batches), of_acts])
    times = np.concatenate([*(b.timestamp for b in batches), nothing])
    recorded = np.concatenate([*(b.record_timestamp for b in batches), nothing])
    order = np.argsort(rows, kind="stable")
    progress = copy(watermark).observe(times[order], recorded[order], log_before[rows[order]])
    ticks = np.empty(len(rows), dtype=np.int64)
    ticks[order] = progress.ticks
    return [
        max(math.floor(act.timestamp / watermark.pane), tick + 1)
        for act, tick in zip(acts, ticks[len(rows) - len(acts) :].tolist(), strict=True)
    ]
