"""Publish prediction events to Streamgauge and subscribe to its alarms."""

from __future__ import annotations

from streamgauge_client.alarm_handlers import on_alarm, run
from streamgauge_client.asgi import ASGIMiddleware
from streamgauge_client.codec import DecodeError, Encoded, decode, encode
from streamgauge_client.events import (
    ALARM_KINDS,
    EVENTS,
    FEEDBACK_KINDS,
    AlarmDetector,
    AlarmEvent,
    AlarmEvidence,
    AlarmReference,
    AlarmWindow,
    BatchOutput,
    Event,
    FeatureEvidence,
    FeedbackEvent,
    Histogram,
    LabelEvent,
    ModelEvent,
    Position,
    PredictionBatch,
    PredictionEvent,
    ScoredLabel,
    SliceEvidence,
    TelemetryEvent,
)
from streamgauge_client.keys import murmur2, partition_key
from streamgauge_client.moments import from_millis
from streamgauge_client.outputs import class_name
from streamgauge_client.privacy import PrivacyPolicy
from streamgauge_client.publisher import Publisher
from streamgauge_client.stats import PublisherStats
from streamgauge_client.subscription import AlarmSubscription, alarms
from streamgauge_client.timing import TimedPrediction
from streamgauge_client.topics import TOPICS, Topic
from streamgauge_client.unfit import QueueFull
from streamgauge_client.wsgi import WSGIMiddleware

__all__ = [
    # Publish
    "ASGIMiddleware",
    "PrivacyPolicy",
    "Publisher",
    "PublisherStats",
    "QueueFull",
    "TimedPrediction",
    "WSGIMiddleware",
    "class_name",
    "from_millis",
    # Subscribe
    "AlarmSubscription",
    "alarms",
    "on_alarm",
    "run",
    # Events
    "ALARM_KINDS",
    "EVENTS",
    "FEEDBACK_KINDS",
    "AlarmDetector",
    "AlarmEvent",
    "AlarmEvidence",
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
    # The wire: topics, keys, envelope
    "TOPICS",
    "DecodeError",
    "Encoded",
    "Topic",
    "decode",
    "encode",
    "murmur2",
    "partition_key",
]
