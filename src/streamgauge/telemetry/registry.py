"""Telemetry of whoever loads models: what was refused, and what serves."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

REGISTRY_REJECTED = Definition(
    "registry_rejected",
    "counter",
    "Stored models that were refused, by reason (signature, mismatch, old, payload, self_test, …).",
    ("model", "reason"),
    exposer="any",
)
MODEL_STALE = Definition(
    "served_model_stale_seconds",
    "gauge",
    "How long it is unknown, or known to be untrue, that the model that serves is the champion.",
    ("model",),
    unit="seconds",
    exposer="any",
)

REGISTRY = (REGISTRY_REJECTED, MODEL_STALE)
