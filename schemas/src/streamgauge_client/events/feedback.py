"""Feedback: what the user did with a prediction."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from streamgauge_client.events.base import Event, Identifier, Number, Text, Timestamp

#: The kinds with a meaning of their own; anything else is ``custom:<name>``.
FEEDBACK_KINDS = (
    "redo",
    "switch_mode",
    "edit",
    "abandon",
    "override",
    "thumbs_up",
    "thumbs_down",
    "accept",
    "report",
)
KIND_PATTERN = rf"^({'|'.join(FEEDBACK_KINDS)}|custom:.{{1,100}})$"


class FeedbackEvent(Event):
    """One act of a user. It names the prediction or the interaction that it is about."""

    model: Identifier
    kind: Annotated[str, Field(pattern=KIND_PATTERN)]
    prediction_id: Identifier | None = None
    interaction_id: Identifier | None = None
    timestamp: Timestamp | None = None
    name: Text | None = None
    score: Number | None = None
    label: Text | None = None
    explanation: Text | None = None
    from_mode: Identifier | None = None
    to_mode: Identifier | None = None
    dwell_ms: Annotated[Number, Field(ge=0)] | None = None
    edit_distance_ratio: Annotated[Number, Field(ge=0)] | None = None
    user_hash: Identifier | None = None

    @model_validator(mode="after")
    def names_its_subject(self) -> FeedbackEvent:
        if self.prediction_id is None and self.interaction_id is None:
            raise ValueError("feedback needs a prediction_id or an interaction_id")
        return self
