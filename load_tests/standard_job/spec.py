"""What Streamgauge is told: a detector that takes every event, and windows of the job's size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from load_tests.standard_job.job import MODEL, NUMERIC, RATE, WINDOW


def document(
    numeric: Iterable[str] = NUMERIC, *, window: int = WINDOW, segments: Iterable[str] = ()
) -> dict[str, Any]:
    """A spec. Whatever it does not say stays on, as users have it.

    The score has its detector without being asked.
    """
    seconds = max(window / RATE, 0.1)
    by_event = {"type": "numeric", "detectors": [{"name": "adwin", "feed": "events"}]}
    spec: dict[str, Any] = {
        "model": MODEL,
        "defaults": {
            "pane": seconds,
            "min_duration": seconds,
            "min_events": window,
            "grace": 0,
        },
        "features": {name: by_event for name in numeric},
    }
    for name in segments:
        spec.setdefault("segments", {})[name] = {}
    return spec
