"""The contract: every event that crosses a topic, as a model."""

from __future__ import annotations

from streamgauge_client.events.alarm import (
    ALARM_KINDS,
    AlarmDetector,
    AlarmEvent,
    AlarmEvidence,
    AlarmHandling,
    AlarmReference,
    AlarmWindow,
    FeatureEvidence,
    Histogram,
    Position,
    SliceEvidence,
)
from streamgauge_client.events.base import Event, ScoredLabel
from streamgauge_client.events.feedback import FEEDBACK_KINDS, FeedbackEvent
from streamgauge_client.events.label import LabelEvent
from streamgauge_client.events.model import ModelEvent
from streamgauge_client.events.prediction import PredictionEvent
from streamgauge_client.events.prediction_batch import BatchOutput, PredictionBatch
from streamgauge_client.events.telemetry import TelemetryEvent

#: Event types by the middle word of their CloudEvents type, ``streamgauge.<name>.v1``.
EVENTS: dict[str, type[Event]] = {
    "prediction": PredictionEvent,
    "prediction_batch": PredictionBatch,
    "label": LabelEvent,
    "feedback": FeedbackEvent,
    "telemetry": TelemetryEvent,
    "alarm": AlarmEvent,
    "model": ModelEvent,
}

__all__ = [
    "ALARM_KINDS",
    "EVENTS",
    "FEEDBACK_KINDS",
    "AlarmDetector",
    "AlarmEvent",
    "AlarmEvidence",
    "AlarmHandling",
    "AlarmReference",
    "AlarmWindow",
    "BatchOutput",
    "Event",
    "FeatureEvidence",
    "FeedbackEvent",
    "Histogram",
    "LabelEvent",
    "ModelEvent",
    "Position",
    "PredictionBatch",
    "PredictionEvent",
    "ScoredLabel",
    "SliceEvidence",
    "TelemetryEvent",
]
