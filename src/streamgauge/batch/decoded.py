"""A chunk after decoding: predictions as columns, everything else as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.record_columns import RecordColumns
from streamgauge.batch.structs import (
    Feedback,
    Label,
    Model,
    Prediction,
    PredictionBatch,
    Telemetry,
)
from streamgauge.processing import DeadLetter

AnyEvent = Prediction | PredictionBatch | Label | Feedback | Telemetry | Model
E = TypeVar("E", bound=AnyEvent)


@dataclass(frozen=True, slots=True)
class Row(Generic[E]):
    """An event that is no prediction: its record's index in the chunk, and its time."""

    row: int
    timestamp: float
    event: E


class BatchRow(NamedTuple):
    """A message of many predictions.

    ``row`` is its record's index in the chunk, ``timestamps`` (n,) are the event times of its
    predictions, ``weight`` is how many events each stands for.
    """

    row: int
    offset: int
    timestamps: NDArray[np.float64]
    record_timestamp: float
    weight: int
    event: PredictionBatch


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A chunk after decoding, everything in the order of its records.

    Predictions are parallel columns: ``rows`` are the indices of their records in the chunk (which
    is ``records``), ``timestamps`` event times and ``record_timestamps`` the log's, in seconds
    since 1970, ``weights`` how many events each stands for. Dead letters come with their record's
    index. ``sequences`` are the numbers that producers gave their records: record's index, model,
    number; in order within a topic.
    """

    records: RecordColumns
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.float64]
    record_timestamps: NDArray[np.float64]
    weights: NDArray[np.int64]
    models: list[str]
    predictions: list[Prediction]
    batches: list[BatchRow]
    labels: list[Row[Label]]
    feedback: list[Row[Feedback]]
    telemetry: list[Row[Telemetry]]
    model_events: list[Row[Model]]
    dead: list[tuple[int, DeadLetter]]
    sequences: list[tuple[int, str, bytes]]
