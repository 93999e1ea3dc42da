"""From the log's bytes to columns: decoding, the limits before it, and why records are refused."""

from __future__ import annotations

from streamgauge.batch.columns import (
    ABSENT,
    CATEGORY,
    ERROR,
    FALLBACK,
    NULL,
    NUMBER,
    OK,
    VECTOR,
    Column,
    EventBatch,
    feature_columns,
    group_by_model,
)
from streamgauge.batch.decode import Decoded, Row, decode, decode_records
from streamgauge.batch.structs import Feedback, Label, Model, Prediction, ScoredLabel, Telemetry

__all__ = [
    "ABSENT",
    "CATEGORY",
    "ERROR",
    "FALLBACK",
    "NULL",
    "NUMBER",
    "OK",
    "VECTOR",
    "Column",
    "Decoded",
    "EventBatch",
    "Feedback",
    "Label",
    "Model",
    "Prediction",
    "Row",
    "ScoredLabel",
    "Telemetry",
    "decode",
    "decode_records",
    "feature_columns",
    "group_by_model",
]
