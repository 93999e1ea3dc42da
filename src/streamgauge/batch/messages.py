"""A message of many predictions as a batch: its columns are taken as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.certainty import Certainty, certainty, of_scores
from streamgauge.batch.feature_table import FeatureColumns
from streamgauge.batch.outputs import Outputs, class_scores, output_columns
from streamgauge.batch.structs import BatchOutput, PredictionBatch

Floats = NDArray[np.float64]


def feature_table(event: PredictionBatch) -> FeatureColumns:
    """The message's features."""
    return FeatureColumns(event.features, len(event.prediction_id))


def outputs_of(event: PredictionBatch) -> tuple[Outputs, Certainty]:
    """What the model said, and how sure it was."""
    said = event.output
    if isinstance(said, BatchOutput):
        return _scored(said)
    return output_columns(said), certainty(said)


def class_scores_of(event: PredictionBatch) -> list[Mapping[str, float] | None]:
    """What each class was given, one row each; see ``outputs.class_scores``."""
    said = event.output
    if not isinstance(said, BatchOutput):
        return class_scores(said)
    n = len(event.prediction_id)
    if said.scores is None or len(said.scores) <= 2:
        return [None] * n
    rows = zip(*said.scores.values(), strict=True)
    return [
        {name: score for name, score in zip(said.scores, row, strict=True) if score is not None}
        for row in rows
    ]


def each(given: Any, n: int) -> list[Any]:
    """A column of a field that takes one value or a list."""
    return given if isinstance(given, list) else [given] * n


def segments_of(event: PredictionBatch) -> list[Mapping[str, str]]:
    """One mapping a row; the same object for all rows where no segment has a column."""
    n = len(event.prediction_id)
    columns = {name: value for name, value in event.segment.items() if isinstance(value, list)}
    common = {name: value for name, value in event.segment.items() if isinstance(value, str)}
    if not columns:
        return [common] * n
    return [
        common | {name: c[row] or "" for name, c in columns.items() if c[row] is not None}
        for row in range(n)
    ]


def _scored(said: BatchOutput) -> tuple[Outputs, Certainty]:
    n = len(said.label)
    null = np.array([label is None for label in said.label], dtype=np.bool_)
    scores = _numbers(said.score, n)
    sure = np.full((3, n), nan)
    if said.scores is not None:
        classes = list(said.scores)
        matrix = np.array([_numbers(said.scores[name], n) for name in classes])
        places = {name: place for place, name in enumerate(classes)}
        rows = np.arange(n)
        own = np.array([places.get(label or "", -1) for label in said.label])
        found = np.where(own >= 0, matrix[own, rows], nan)
        scores = np.where(np.isnan(scores), found, scores)
        whole = ~np.isnan(matrix).any(axis=0) & ~null
        if len(classes) > 1 and whole.any():
            sure[:, whole] = of_scores(matrix[:, whole].T)
    bare = np.isnan(sure[0]) & ~null & (scores >= 0.0) & (scores <= 1.0)
    if said.scores is None or len(said.scores) < 2:
        sure[0, bare] = np.round(scores[bare], 6)
    scores[null] = nan
    return Outputs(scores, list(said.label), null), Certainty(*sure)


def _numbers(given: Sequence[float | None] | None, n: int) -> Floats:
    return np.full(n, nan) if given is None else np.array(given, dtype=np.float64)
