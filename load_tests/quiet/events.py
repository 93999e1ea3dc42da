"""A stretch as events: what the client would have sent, and as log records."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from load_tests.quiet.columns import NumericColumn
from load_tests.quiet.month import STEPS, Stretch
from load_tests.quiet.movement import Floats
from load_tests.quiet.recipes import ERRORS, Recipe
from streamgauge.processing import LogRecord

TOPIC = "streamgauge.predictions"


class Events(NamedTuple):
    """``n`` events in order of time: seconds (n,), pane of each (n,), numbers by feature (n,).

    A missing number is NaN.
    """

    times: Floats
    panes: NDArray[np.int64]
    numbers: dict[str, Floats]
    records: list[LogRecord]


def draw_events(
    recipe: Recipe, stretch: Stretch, rng: np.random.Generator, *, pane: float, offset: int
) -> Events:
    """Draw every event of a stretch; offsets count on from ``offset``."""
    n = int(stretch.n.sum())
    rows = np.repeat(np.arange(len(stretch.panes)), stretch.n)
    within = rng.random(n)
    order = np.lexsort((within, rows))
    within = within[order]
    times = np.maximum.accumulate((stretch.panes[rows] + within) * pane)
    point = rows * STEPS + (within * STEPS).astype(np.int64)
    cells: dict[str, list[Any]] = {}
    numbers: dict[str, Floats] = {}
    for column in recipe.features:
        values = column.values(rng, stretch.paths[column.name][point])
        missing = rng.random(n) < column.missing
        if isinstance(column, NumericColumn):
            numbers[column.name] = np.where(missing, np.nan, values)
        listed = np.asarray(values, dtype=object)
        listed[missing] = None
        cells[column.name] = listed.tolist()
    scores = recipe.score.values(rng, stretch.paths[recipe.score.name][point])
    latency = recipe.latency.values(rng, stretch.paths[recipe.latency.name][point])
    failed = rng.random(n) < ERRORS
    names = [version for version, _ in stretch.versions]
    shares = [share for _, share in stretch.versions]
    versions = rng.choice(names, p=shares, size=n) if len(names) > 1 else [names[0]] * n
    key = recipe.name.encode()
    records = [
        LogRecord(
            TOPIC,
            0,
            offset + i,
            time,
            key,
            (),
            orjson.dumps(
                {
                    "prediction_id": f"{key!r}-{offset + i}",
                    "model": recipe.name,
                    "version": str(version),
                    "timestamp": time,
                    "features": dict(zip(cells, row, strict=True)),
                    "output": None
                    if fault
                    else {"label": "yes" if score > 0.5 else "no", "score": score},
                    "status": "error" if fault else "ok",
                    "latency_ms": 1000.0 * seconds,
                }
            ),
        )
        for i, (time, version, row, score, seconds, fault) in enumerate(
            zip(
                times.tolist(),
                versions,
                zip(*cells.values(), strict=True),
                np.asarray(scores).tolist(),
                np.asarray(latency).tolist(),
                failed.tolist(),
                strict=True,
            )
        )
    ]
    return Events(times, stretch.panes[rows], numbers, records)
