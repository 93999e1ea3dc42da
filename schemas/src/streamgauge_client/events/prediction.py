"""A prediction: what a model was given, what it said, and how long it took."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streamgauge_client.events.base import (
    Event,
    Features,
    Identifier,
    Integer,
    Number,
    Output,
    StringMap,
    Text,
    Timestamp,
    Vector,
)


class PredictionEvent(Event):
    """One prediction of one model.

    ``output`` may be null only where ``status`` says why (``error`` or ``fallback``); a null
    output of a prediction that calls itself ``ok`` is counted as a null output.
    """

    prediction_id: Identifier
    model: Identifier
    version: Identifier
    output: Output
    timestamp: Timestamp | None = None
    features: Features = Field(default_factory=dict)
    latency_ms: Annotated[Number, Field(ge=0)] | None = None
    status: Literal["ok", "error", "fallback"] = "ok"
    segment: StringMap = Field(default_factory=dict)
    variant: Literal["champion", "challenger", "shadow", "canary"] | None = None
    step: Identifier | None = None
    parent_id: Identifier | None = None
    lineage: StringMap = Field(default_factory=dict)
    tags: StringMap = Field(default_factory=dict)
    error_type: Text | None = None
    entity_id: Identifier | None = None
    interaction_id: Identifier | None = None
    embedding: dict[Identifier, Vector] | None = None
    tokens: dict[Identifier, Integer] | None = None
    cost: Number | None = None
