"""Predictions of one model as columns: one message where batch scoring has thousands of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streamgauge_client.events.base import (
    MAX_FEATURES,
    Event,
    FeatureValue,
    Identifier,
    Number,
    Output,
    StringMap,
    Text,
    Timestamp,
)

#: Most predictions in one message.
MAX_ROWS = 10_000
#: So much of a name is shown in an error.
_SHOWN_NAME = 64

Status = Literal["ok", "error", "fallback"]
Latency = Annotated[Number, Field(ge=0)]
Identifiers = list[Identifier | None]
Numbers = list[Number | None]


class BatchOutput(BaseModel):
    """Scored labels as columns.

    A row without a label has a null output, whatever its scores. ``scores`` holds a column per
    class; a row that has no score of a class has null there.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    label: Identifiers
    score: Numbers | None = None
    scores: Annotated[dict[Identifier, Numbers], Field(max_length=MAX_FEATURES)] | None = None


class PredictionBatch(Event):
    """Many predictions of one model, version and step, which lie on one shard.

    ``prediction_id`` has one entry a row and so tells their number; every other list is as long.
    Where a field takes one value or a list, one value is that of all rows, and a null in a list
    means what leaving the field out means in a single event.
    """

    prediction_id: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_ROWS)]
    model: Identifier
    version: Identifier
    output: list[Output] | BatchOutput
    timestamp: Timestamp | list[Timestamp | None] | None = None
    features: Annotated[dict[Identifier, list[FeatureValue]], Field(max_length=MAX_FEATURES)] = (
        Field(default_factory=dict)
    )
    latency_ms: Latency | list[Latency | None] | None = None
    status: Status | list[Status] = "ok"
    segment: Annotated[
        dict[Identifier, Text | list[Text | None]], Field(max_length=MAX_FEATURES)
    ] = Field(default_factory=dict)
    variant: Literal["champion", "challenger", "shadow", "canary"] | None = None
    step: Identifier | None = None
    parent_id: Identifiers | None = None
    lineage: StringMap = Field(default_factory=dict)
    tags: StringMap = Field(default_factory=dict)
    entity_id: Identifiers | None = None
    interaction_id: Identifiers | None = None

    @model_validator(mode="after")
    def is_even(self) -> PredictionBatch:
        check_even(self)
        return self


def check_even(batch: Any) -> None:
    """Refuse a batch with a column that is longer or shorter than its ``prediction_id``.

    Raises ``ValueError`` with the column's name and both lengths. It asks for attributes alone, so
    that whoever decodes into other classes has the same rule.
    """
    rows = len(batch.prediction_id)
    for name, column in _columns(batch):
        if isinstance(column, list) and len(column) != rows:
            raise ValueError(
                f"{name} has {len(column):,} rows, prediction_id has {rows:,};"
                " columns of one batch are equally long"
            )


def _columns(batch: Any) -> Iterator[tuple[str, Any]]:
    output = batch.output
    if isinstance(output, list):
        yield "output", output
    else:
        yield "output.label", output.label
        yield "output.score", output.score
        yield from _named("output.scores", output.scores)
    for name in ("timestamp", "latency_ms", "status", "parent_id", "entity_id", "interaction_id"):
        yield name, getattr(batch, name)
    yield from _named("features", batch.features)
    yield from _named("segment", batch.segment)


def _named(field: str, columns: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    for name, column in (columns or {}).items():
        yield f"{field}.{_shown(name)}", column


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:_SHOWN_NAME])
