"""Publish prediction events to Streamgauge and subscribe to its alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamgauge_client.codec import DecodeError, Encoded, decode, encode
from streamgauge_client.events import (
    ALARM_KINDS,
    EVENTS,
    FEEDBACK_KINDS,
    AlarmDetector,
    AlarmEvent,
    AlarmEvidence,
    AlarmHandling,
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
from streamgauge_client.publisher import Publisher
from streamgauge_client.stats import PublisherStats
from streamgauge_client.timing import TimedPrediction
from streamgauge_client.topics import TOPICS, Topic
from streamgauge_client.unfit import QueueFull

if TYPE_CHECKING:
    from streamgauge_client.alarm_handlers import on_alarm, run
    from streamgauge_client.asgi import ASGIMiddleware
    from streamgauge_client.privacy import PrivacyPolicy
    from streamgauge_client.subscription import AlarmSubscription, alarms
    from streamgauge_client.wsgi import WSGIMiddleware

#: What not every service needs, by the module it is in; loaded when it is first asked for.
_LATER = {
    "ASGIMiddleware": "asgi",
    "AlarmSubscription": "subscription",
    "PrivacyPolicy": "privacy",
    "WSGIMiddleware": "wsgi",
    "alarms": "subscription",
    "on_alarm": "alarm_handlers",
    "run": "alarm_handlers",
}

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

# Not for type checkers: to them a module that makes up its names has every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if (module := _LATER.get(name)) is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
