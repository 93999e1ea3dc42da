"""What Streamgauge is told: a detector that takes every event, and windows of the job's size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from load_tests.standard_job.job import MODEL, NUMERIC, RATE, WINDOW


def document(
    numeric: Iterable[str] = NUMERIC,
    *,
    model: str = MODEL,
    models: int = 1,
    segments: Iterable[str] = (),
) -> dict[str, Any]:
    """A spec. Whatever it does not say stays on, as users have it.

    The score has its detector without being asked. ``models`` share the log's rate, and each has
    windows of so many events.
    """
    seconds = models * WINDOW / RATE
    by_event = {"type": "numeric", "detectors": [{"name": "adwin", "feed": "events"}]}
    spec: dict[str, Any] = {
        "model": model,
        "defaults": {
            "pane": seconds,
            "min_duration": seconds,
            "min_events": WINDOW,
            "grace": 0,
        },
        "features": dict.fromkeys(numeric, by_event),
    }
    for name in segments:
        spec.setdefault("segments", {})[name] = {}
    return spec
