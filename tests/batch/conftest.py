from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from streamgauge.processing import LogRecord

NOW = 1_700_000_000.0
RecordMaker = Callable[..., LogRecord]


@pytest.fixture
def make_record() -> RecordMaker:
    """A record of bare JSON on the predictions topic, unless told otherwise."""

    def make(
        value: bytes | dict[str, Any] | None,
        *,
        topic: str = "streamgauge.predictions",
        offset: int = 0,
        timestamp: float | None = NOW,
        **headers: str,
    ) -> LogRecord:
        return LogRecord(
            topic=topic,
            partition=0,
            offset=offset,
            timestamp=timestamp,
            key=b"m",
            headers=tuple(
                (name.replace("content_type", "content-type"), text.encode())
                for name, text in headers.items()
            ),
            value=orjson.dumps(value) if isinstance(value, dict) else value,
        )

    return make


@pytest.fixture
def prediction() -> dict[str, Any]:
    return {
        "prediction_id": "p-1",
        "model": "credit",
        "version": "3",
        "timestamp": NOW - 1.5,
        "features": {"age": 41, "income": 2.5e4, "country": "de", "member": True, "note": None},
        "output": {"label": "good", "score": 0.8, "scores": {"good": 0.8, "bad": 0.2}},
        "latency_ms": 12.5,
    }
