"""Predictions of a made-up classifier and the labels that follow them, as log records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from streamgauge.processing import LogRecord
from tests.monitor.streams import START, prediction, record

#: Windows of 200 labels and five seconds; labels wait a minute at most.
SPEC: dict[str, Any] = {
    "model": "fraud",
    "task": "binary",
    "label_delay": {"max": "60s"},
    "defaults": {
        "pane": "1s",
        "min_duration": "5s",
        "min_events": 200,
        "max_duration": "10m",
        "grace": "0s",
    },
    "reference": {"min_events": 1000, "min_duration": "20s"},
}

Answer = tuple[Any, Any]


def label(
    offset: int, timestamp: float, of: int, truth: Any, *, model: str = "fraud", **more: Any
) -> LogRecord:
    """The label of prediction ``of``."""
    event = {"prediction_id": f"{model}-{of}", "model": model, "label": truth, **more}
    return record(offset, orjson.dumps(event), timestamp, topic="streamgauge.labels")


def answers(n: int, *, error: float | Callable[[int], float], seed: int = 3) -> list[Answer]:
    """(score, truth) of ``n`` predictions that are wrong with that chance, or that of their row."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    rates = np.array([error(i) if callable(error) else error for i in range(n)])
    wrong = rng.random(n) < rates
    said = truth ^ wrong
    score = np.where(said, rng.uniform(0.5, 1.0, n), rng.uniform(0.0, 0.4999, n))
    return [(float(s), bool(t)) for s, t in zip(score, truth, strict=True)]


def predictions(given: Sequence[Answer], *, rate: float = 100.0, **more: Any) -> list[LogRecord]:
    return [
        prediction(i, START + i / rate, {"x": float(i % 7)}, output=said, **more)
        for i, (said, _) in enumerate(given)
    ]


def labels(
    given: Sequence[Answer],
    *,
    rate: float = 100.0,
    delay: float = 0.5,
    only: Callable[[int], bool] = lambda _: True,
    more: Callable[[int], Mapping[str, Any]] = lambda _: {},
) -> list[LogRecord]:
    return [
        label(i, START + i / rate + delay, i, truth, **more(i))
        for i, (_, truth) in enumerate(given)
        if only(i)
    ]


def merged(*topics: Sequence[LogRecord]) -> list[LogRecord]:
    """One log of several topics, as a worker merges them."""
    ranks = {"streamgauge.predictions": 0, "streamgauge.labels": 1}
    together = [each for topic in topics for each in topic]
    return sorted(together, key=lambda r: (r.timestamp, ranks.get(r.topic, 2), r.offset))
