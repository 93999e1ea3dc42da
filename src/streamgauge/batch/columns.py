"""Predictions of one model as columns, which is how everything behind decoding takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.certainty import certainty
from streamgauge.batch.decoded import BatchRow, Decoded
from streamgauge.batch.feature_table import FeatureColumns, FeatureRows, FeatureTable
from streamgauge.batch.features import (
    ABSENT,
    CATEGORY,
    NULL,
    NUMBER,
    VECTOR,
    Column,
    feature_columns,
)
from streamgauge.batch.messages import (
    class_scores_of,
    each,
    feature_table,
    outputs_of,
    segments_of,
)
from streamgauge.batch.outputs import class_scores, output_columns

#: Codes of a prediction's status.
OK: Final = 0
ERROR: Final = 1
FALLBACK: Final = 2
STATUS_CODES: dict[str, int] = {"ok": OK, "error": ERROR, "fallback": FALLBACK}

__all__ = [
    "ABSENT",
    "CATEGORY",
    "ERROR",
    "FALLBACK",
    "NULL",
    "NUMBER",
    "OK",
    "STATUS_CODES",
    "VECTOR",
    "Column",
    "EventBatch",
    "batches_by_model",
    "feature_columns",
    "group_by_model",
    "joined",
    "rows_by_name",
]


@dataclass(frozen=True, slots=True, eq=False)
class EventBatch:
    """Predictions of one model, rows in log order.

    Parameters
    ----------
    model
        The model of all rows.
    row
        Each record's index in the chunk that it came in.
    offset
        Its offset in the log.
    timestamp, record_timestamp
        Event time and the log's time, in seconds since 1970.
    version, step
        As given; a step that was not given is "".
    latency_seconds
        nan where it was not given.
    status
        OK, ERROR or FALLBACK.
    score, label, null_output
        The output, see ``outputs.output_columns``. ``null_output`` is true for each null, whatever
        the status says.
    confidence, margin, entropy
        How sure the model was, see ``certainty``; nan where it did not say.
    weight
        How many events each stands for; above 1 where the client samples.
    prediction_id, interaction_id, variant, segment, tags
        As given.
    class_scores
        What each class was given, where the output is one of more than two classes; else None.
    features
        As given; a table that makes columns.
    """

    model: str
    row: NDArray[np.int64]
    offset: NDArray[np.int64]
    timestamp: NDArray[np.float64]
    record_timestamp: NDArray[np.float64]
    version: list[str]
    step: list[str]
    latency_seconds: NDArray[np.float64]
    status: NDArray[np.int8]
    score: NDArray[np.float64]
    label: list[str | None]
    null_output: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    margin: NDArray[np.float64]
    entropy: NDArray[np.float64]
    weight: NDArray[np.int64]
    prediction_id: list[str]
    interaction_id: list[str | None]
    variant: list[str | None]
    segment: list[Mapping[str, str]]
    tags: list[Mapping[str, str]]
    class_scores: list[Mapping[str, float] | None]
    features: FeatureTable

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def kind(self) -> str:
        """The event that its records hold: ``prediction``, or ``prediction_batch``."""
        return "prediction_batch" if isinstance(self.features, FeatureColumns) else "prediction"

    def records_of(self, rows: int) -> int:
        """How many records ``rows`` of its rows are: a message goes as a whole, or not at all."""
        if isinstance(self.features, FeatureColumns):
            return int(rows == len(self))
        return rows

    def slice(self, start: int, stop: int, *, model: str | None = None) -> EventBatch:
        """Rows from ``start`` up to ``stop``, under another model's name if one is given.

        Arrays are views.
        """
        return self._each(
            itemgetter(slice(start, stop)), self.features.part(start, stop), model=model
        )

    def take(self, rows: NDArray[np.int64]) -> EventBatch:
        """Rows by their indices."""
        indices = rows.tolist()
        return self._each(
            lambda column: (
                column[rows]
                if isinstance(column, np.ndarray)
                else [column[index] for index in indices]
            ),
            self.features.take(rows),
        )

    def _each(
        self, change: Callable[[Any], Any], features: FeatureTable, *, model: str | None = None
    ) -> EventBatch:
        name = self.model if model is None else model
        columns: list[Any] = [name, *map(change, _COLUMNS(self)), features]
        return EventBatch(*columns)


def joined(batches: Sequence[EventBatch]) -> EventBatch:
    """Batches of single events of one model, one behind the other."""
    if len(batches) == 1:
        return batches[0]
    columns: list[Any] = [batches[0].model]
    for parts in zip(*map(_COLUMNS, batches), strict=True):
        arrays = isinstance(parts[0], np.ndarray)
        columns.append(np.concatenate(parts) if arrays else list(chain(*parts)))
    rows = (batch.features for batch in batches if isinstance(batch.features, FeatureRows))
    columns.append(FeatureRows(chain.from_iterable(rows)))
    return EventBatch(*columns)


_COLUMNS = attrgetter(*(field.name for field in fields(EventBatch)[1:-1]))


def group_by_model(decoded: Decoded) -> dict[str, EventBatch]:
    """The chunk's predictions by model, models in the order in which they are first seen.

    The columns are built once for all models and then cut, because a chunk may hold a thousand
    models and the price of building is per batch.
    """
    models = decoded.models
    if not models:
        return {}
    if models.count(models[0]) == len(models):
        return {models[0]: _batch(models[0], decoded, range(len(models)))}
    groups: dict[str, list[int]] = {model: [] for model in models}
    for index, model in enumerate(models):
        groups[model].append(index)
    together = _batch("", decoded, list(chain.from_iterable(groups.values())))
    batches = {}
    start = 0
    for model, indices in groups.items():
        stop = start + len(indices)
        batches[model] = together.slice(start, stop, model=model)
        start = stop
    return batches


def rows_by_name(names: list[str]) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows by name, names in the order in which they first come.

    >>> [(name, rows.tolist()) for name, rows in rows_by_name(["b", "a", "b"])]
    [('b', [0, 2]), ('a', [1])]
    """
    if names.count(names[0]) == len(names):
        return [(names[0], np.arange(len(names)))]
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return [(name, np.array(members, dtype=np.intp)) for name, members in rows.items()]


def batches_by_model(decoded: Decoded) -> dict[str, list[EventBatch]]:
    """The chunk's predictions by model, each model's in log order.

    Single events between two messages of many are one batch.
    """
    found = {model: [batch] for model, batch in group_by_model(decoded).items()}
    for message in decoded.batches:
        parts = found.setdefault(message.event.model, [])
        whole = message_batch(message)
        if not parts:
            parts.append(whole)
            continue
        # Messages come in log order, so only what is behind the last one can be cut.
        last = parts.pop()
        cut = int(np.searchsorted(last.row, message.row))
        parts += [last.slice(0, cut)] if cut else []
        parts.append(whole)
        parts += [last.slice(cut, len(last))] if cut < len(last) else []
    return found


def message_batch(message: BatchRow) -> EventBatch:
    """A message of many predictions, its rows in order of event time.

    The message is one record: none of its rows is late because of another.
    """
    event = message.event
    n = len(event.prediction_id)
    outputs, sure = outputs_of(event)
    # numpy reads None as nan.
    latency_ms = np.array(each(event.latency_ms, n), dtype=np.float64)
    batch = EventBatch(
        model=event.model,
        row=np.full(n, message.row, dtype=np.int64),
        offset=np.full(n, message.offset, dtype=np.int64),
        timestamp=message.timestamps,
        record_timestamp=np.full(n, message.record_timestamp),
        version=[event.version] * n,
        step=[event.step or ""] * n,
        latency_seconds=latency_ms / 1000.0,
        status=np.array([STATUS_CODES[status] for status in each(event.status, n)], dtype=np.int8),
        score=outputs.scores,
        label=outputs.labels,
        null_output=outputs.null,
        confidence=sure.confidence,
        margin=sure.margin,
        entropy=sure.entropy,
        weight=np.full(n, message.weight, dtype=np.int64),
        prediction_id=event.prediction_id,
        interaction_id=each(event.interaction_id, n),
        variant=[event.variant] * n,
        segment=segments_of(event),
        tags=[event.tags] * n,
        class_scores=class_scores_of(event),
        features=feature_table(event),
    )
    if (np.diff(batch.timestamp) >= 0).all():
        return batch
    return batch.take(np.argsort(batch.timestamp, kind="stable"))


def _batch(model: str, decoded: Decoded, order: Sequence[int]) -> EventBatch:
    events = [decoded.predictions[index] for index in order]
    rows = np.array(order, dtype=np.int64)
    said = [event.output for event in events]
    outputs, sure = output_columns(said), certainty(said)
    status = np.zeros(len(events), dtype=np.int8)
    said_status = [event.status for event in events]
    if said_status.count("ok") != len(events):
        status = np.array([STATUS_CODES[each] for each in said_status], dtype=np.int8)
    # numpy reads None as nan.
    latency_ms = np.array([event.latency_ms for event in events], dtype=np.float64)
    return EventBatch(
        model=model,
        row=decoded.rows[rows],
        offset=decoded.offsets[rows],
        timestamp=decoded.timestamps[rows],
        record_timestamp=decoded.record_timestamps[rows],
        version=[event.version for event in events],
        step=[event.step or "" for event in events],
        latency_seconds=latency_ms / 1000.0,
        status=status,
        score=outputs.scores,
        label=outputs.labels,
        null_output=outputs.null,
        confidence=sure.confidence,
        margin=sure.margin,
        entropy=sure.entropy,
        weight=decoded.weights[rows],
        prediction_id=[event.prediction_id for event in events],
        interaction_id=[event.interaction_id for event in events],
        variant=[event.variant for event in events],
        segment=[event.segment for event in events],
        tags=[event.tags for event in events],
        class_scores=class_scores(said),
        features=FeatureRows([event.features for event in events]),
    )
