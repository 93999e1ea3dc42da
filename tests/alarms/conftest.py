from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.alarms.finding import Finding, Span

MakeFinding = Callable[..., Finding]
MakeSpan = Callable[..., Span]


@pytest.fixture
def finding() -> MakeFinding:
    """A finding that exceeds by ``severity``, or is below with one of at most 1."""

    def make(target: str = "amount", severity: float = 2.0, **differences: Any) -> Finding:
        given: dict[str, Any] = {
            "kind": "feature_drift",
            "rule": "js",
            "state": "exceeding" if severity > 1 else "ok",
            "value": 0.2 * severity,
            "threshold": 0.2,
            "severity": severity,
            "n": 500,
        }
        return Finding(target, **(given | differences))

    return make


@pytest.fixture
def span() -> MakeSpan:
    """The n-th window of a minute, with 500 events."""

    def make(number: int, **differences: Any) -> Span:
        given: dict[str, Any] = {
            "start": 60.0 * number,
            "end": 60.0 * (number + 1),
            "n": 500,
            "first_offset": 500 * number,
            "last_offset": 500 * number + 499,
            "version": "1",
            "step": "",
        }
        return Span(**(given | differences))

    return make
