"""One loaded version: answers one request at a time, whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from streamgauge.registry.record import Champion


class NotServing(RuntimeError):
    """There is no model yet. The text says why, and what to do."""


class Serving:
    """A model and the pointer that led to it. Never changed once it serves."""

    __slots__ = ("_lock", "_model", "pipeline", "pointer")

    def __init__(self, model: Any, pointer: Champion, pipeline: str) -> None:
        self._model = model
        self.pointer, self.pipeline = pointer, pipeline
        # River's models put entries into dictionaries when they predict; two threads at once would
        # change one that the other walks through. Python would run only one of them anyway.
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        return self.pointer.version

    def predict(self, features: Mapping[str, Any]) -> Any:
        """A class, a number or an anomaly score."""
        model = self._model
        with self._lock:
            try:
                return model.predict_one(dict(features))
            except (AttributeError, NotImplementedError):
                if not hasattr(model, "score_one"):
                    raise
                return model.score_one(dict(features))

    def predict_proba(self, features: Mapping[str, Any]) -> dict[Any, float]:
        """Probabilities by class. Raises ``TypeError`` where the model has none."""
        with self._lock:
            try:
                found = self._model.predict_proba_one(dict(features))
            except (AttributeError, NotImplementedError):
                found = None
        if not isinstance(found, Mapping):
            raise TypeError(
                f"version {self.version} of {self.pointer.model} has no probabilities; use predict"
            )
        return dict(found)
