"""Every number that Streamgauge exposes, declared once, and how a process records its own."""

from __future__ import annotations

from streamgauge.telemetry import (
    clients,
    ingest,
    learning,
    models,
    notifications,
    pipeline,
    processes,
    registry,
    truth,
    usage,
)
from streamgauge.telemetry.clients import CLIENTS
from streamgauge.telemetry.definition import PREFIX, Definition
from streamgauge.telemetry.ingest import INGEST
from streamgauge.telemetry.learning import LEARNING
from streamgauge.telemetry.models import MODELS
from streamgauge.telemetry.notifications import NOTIFIER
from streamgauge.telemetry.pipeline import PIPELINE
from streamgauge.telemetry.processes import PROCESSES
from streamgauge.telemetry.recorder import Telemetry
from streamgauge.telemetry.registry import REGISTRY
from streamgauge.telemetry.truth import TRUTH
from streamgauge.telemetry.usage import USAGE

#: Everything, for documents, dashboards and tests.
CATALOGUE: tuple[Definition, ...] = (
    *MODELS,
    *CLIENTS,
    *USAGE,
    *TRUTH,
    *LEARNING,
    *PIPELINE,
    *PROCESSES,
    *NOTIFIER,
    *INGEST,
    *REGISTRY,
)

__all__ = [
    "CATALOGUE",
    "CLIENTS",
    "INGEST",
    "LEARNING",
    "MODELS",
    "NOTIFIER",
    "PIPELINE",
    "PREFIX",
    "PROCESSES",
    "REGISTRY",
    "TRUTH",
    "USAGE",
    "Definition",
    "Telemetry",
    "clients",
    "ingest",
    "learning",
    "models",
    "notifications",
    "pipeline",
    "processes",
    "registry",
    "truth",
    "usage",
]
