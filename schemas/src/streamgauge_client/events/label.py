"""A label: the truth about a prediction, as far as it is known by now."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streamgauge_client.events.base import (
    Event,
    Identifier,
    Number,
    Output,
    Scores,
    StringMap,
    Timestamp,
)


class LabelEvent(Event):
    """The truth about one prediction. A higher ``revision`` corrects, a null label withdraws.

    It may come before its prediction, and years after it.
    """

    prediction_id: Identifier
    model: Identifier
    label: Output
    observed_at: Timestamp | None = None
    source: Literal["human", "system", "delayed_batch"] | None = None
    annotator: Identifier | None = None
    revision: Annotated[int, Field(ge=0, le=2**53)] = 0
    weight: Annotated[Number, Field(ge=0)] | None = None
    confidence: Annotated[Number, Field(ge=0, le=1)] | None = None
    scores: Scores | None = None
    horizon: Identifier | None = None
    value: Number | None = None
    tags: StringMap = Field(default_factory=dict)
