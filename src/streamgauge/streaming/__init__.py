"""Streaming: the only place that imports Faust. Chunks in, one checkpoint, effects out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.telemetry import PartitionTelemetry, WorkerTelemetry

if TYPE_CHECKING:
    from streamgauge.streaming.worker import WorkerError, run_worker

__all__ = ["PartitionTelemetry", "WorkerConfig", "WorkerError", "WorkerTelemetry", "run_worker"]


def __getattr__(name: str) -> Any:
    # Faust takes a second to import, and its transport is loaded by name from inside Faust.
    if name in ("WorkerError", "run_worker"):
        from streamgauge.streaming import worker

        return getattr(worker, name)
    raise AttributeError(name)
