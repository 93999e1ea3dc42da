"""Every number that Streamgauge exposes, declared once, and how a process records its own."""

from __future__ import annotations

from streamgauge.telemetry.definition import PREFIX, Definition
from streamgauge.telemetry.models import MODELS
from streamgauge.telemetry.pipeline import PIPELINE
from streamgauge.telemetry.processes import (
    ALARMS_PUBLISHED,
    ASSIGNED,
    BUILD_INFO,
    CHECKPOINT_BYTES,
    CHECKPOINT_DURATION,
    CHECKPOINT_PENDING,
    CHECKPOINTS,
    CHUNK_RECORDS,
    DROPPED,
    EVENT_AGE,
    LOOP_LAG,
    PROCESSES,
    PROCESSING_DURATION,
    PRODUCER_ERRORS,
    REBALANCES,
    REDIS_ERRORS,
    SEEKS,
    STATE_LOST,
)
from streamgauge.telemetry.recorder import Telemetry

#: Everything, for documents, dashboards and tests.
CATALOGUE: tuple[Definition, ...] = (*MODELS, *PIPELINE, *PROCESSES)

__all__ = [
    "ALARMS_PUBLISHED",
    "ASSIGNED",
    "BUILD_INFO",
    "CATALOGUE",
    "CHECKPOINTS",
    "CHECKPOINT_BYTES",
    "CHECKPOINT_DURATION",
    "CHECKPOINT_PENDING",
    "CHUNK_RECORDS",
    "DROPPED",
    "EVENT_AGE",
    "LOOP_LAG",
    "MODELS",
    "PIPELINE",
    "PREFIX",
    "PROCESSES",
    "PROCESSING_DURATION",
    "PRODUCER_ERRORS",
    "REBALANCES",
    "REDIS_ERRORS",
    "SEEKS",
    "STATE_LOST",
    "Definition",
    "Telemetry",
]
