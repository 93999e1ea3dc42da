"""Predictions let into the join, and which of them candidates are to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ERROR, EventBatch
from streamgauge.labels import LabelJoin, Rows
from streamgauge.labels.digest import digests


class Asked(NamedTuple):
    """A prediction that candidates are to answer: its record, its row, and what it stands for.

    ``label`` and ``score`` are what the model's service said; None and nan for nothing.
    """

    record: int
    number: int
    features: Mapping[str, Any]
    weight: float
    label: str | None
    score: float


def admit(join: LabelJoin, batch: EventBatch, reached: NDArray[np.float64]) -> Iterator[Asked]:
    """Let predictions wait in the join; give those that do, in log order.

    ``reached`` (records,) is the log's time after each record of the chunk. What failed or said
    nothing is left out: there is nothing to be compared with.
    """
    answered = np.flatnonzero(
        (batch.status != ERROR) & ~(batch.null_output & np.isnan(batch.score))
    )
    if len(answered) < len(batch):
        batch = batch.take(answered)
    if not len(answered):
        return
    rows = Rows.empty(len(batch))
    rows.digest[:] = digests(batch.prediction_id)
    rows.logged[:] = np.where(np.isfinite(reached[batch.row]), reached[batch.row], 0.0)
    rows.time[:], rows.offset[:], rows.number[:] = batch.timestamp, batch.offset, batch.score
    rows.predicted[:] = join.said.codes(batch.label)
    rows.weight[:] = batch.weight
    first = join.table.end
    join.admit(rows.digest, rows.logged, batch.row, lambda kept: (rows.take(kept), None))
    features, records = batch.features.dicts(), batch.row.tolist()
    scores, ids = batch.score.tolist(), rows.digest.tolist()
    place = 0
    # One that was not admitted, or came before, is neither asked nor learned: what was let in is
    # a part of the batch, in its order. An id may be in it twice, so that it can't be looked up.
    for start, part, _ in join.table.parts(first, join.table.end):
        own = zip(part.digest.tolist(), part.weight.tolist(), strict=True)
        for number, (digest, weight) in enumerate(own, start):
            while ids[place] != digest:
                place += 1
            yield Asked(
                *(records[place], number, features[place], weight),
                *(batch.label[place], scores[place]),
            )
            place += 1
