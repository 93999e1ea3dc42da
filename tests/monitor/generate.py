"""Streams of a made-up credit model, by recipe: noise, seasons, faults at given rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from streamgauge.processing import LogRecord
from tests.monitor.streams import START, prediction

Fault = Callable[[int, dict[str, Any]], Mapping[str, Any]]


def stream(
    n: int,
    *,
    rate: float = 200.0,
    features: int = 4,
    seed: int = 7,
    correlation: float = 0.0,
    season: float = 0.0,
    fault: Fault | None = None,
    version: Callable[[int], str] = lambda _: "1",
    model: str = "fraud",
    first: int = 0,
    start: float = START,
) -> list[LogRecord]:
    """``n`` predictions at ``rate`` a second: normal features x0, x1, …, a category, a score.

    ``correlation`` makes the noise AR(1); ``season`` adds a sine of that amplitude with a period of
    five seconds; ``fault`` may change the fields of a row.
    """
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, features))
    for i in range(1, n if correlation else 0):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    times = start + np.arange(n) / rate
    noise += season * np.sin(2 * np.pi * times / 5.0)[:, None]
    latency = rng.gamma(2.0, 2.0, size=n)
    colours = rng.choice(["red", "green", "blue"], p=[0.6, 0.3, 0.1], size=n)
    records = []
    for i in range(n):
        fields: dict[str, Any] = {
            "features": {f"x{j}": float(v) for j, v in enumerate(noise[i])}
            | {"colour": str(colours[i])},
            "output": {"label": "ok", "score": float(1 / (1 + np.exp(-noise[i, 1])))},
            "latency_ms": float(latency[i]),
        }
        if fault is not None:
            fields |= fault(i, fields)
        features_of = fields.pop("features")
        records.append(
            prediction(
                first + i,
                float(times[i]),
                features_of,
                model=model,
                version=version(i),
                **fields,
            )
        )
    return records


def between(first: int, last: int, change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Change the features of rows ``first`` up to ``last``."""

    def fault(i: int, fields: dict[str, Any]) -> Mapping[str, Any]:
        if first <= i < last:
            change(fields["features"])
        return {}

    return fault
