"""A model event: something happened to a model itself, not to one of its predictions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from streamgauge_client.events.base import Event, Identifier, Plain, StringMap, Text, Timestamp


class ModelEvent(Event):
    """A step in a model's life: registered, promoted, rolled back, retired, retrained."""

    model: Identifier
    version: Identifier
    action: Literal[
        "registered",
        "promoted",
        "rolled_back",
        "retired",
        "reference_set",
        "retrain_requested",
        "snapshot",
    ]
    timestamp: Timestamp | None = None
    previous_version: Identifier | None = None
    feature_schema: StringMap | None = None
    reference: Plain | None = None
    reset: list[Literal["detectors", "reference", "none"]] = Field(default_factory=list)
    actor: Identifier | None = None
    reason: Text | None = None
    evidence: Plain = Field(default_factory=dict)
    data: Plain | None = None
    effective_at: Timestamp | None = None
    shadow: bool | None = None
