"""The job's log, seeded: events as the client writes them, and a reference from before."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from load_tests.standard_job.job import CATEGORICAL, MODEL, NUMERIC, RATE, SCORE
from streamgauge.references.build import build_profile
from streamgauge.references.profile import ReferenceProfile

REFERENCE_EVENTS = 10_000
_BLOCK = 10_000


def events(
    n: int,
    *,
    seed: int = 1,
    begin: float = 1_790_000_000.0,
    numeric: tuple[str, ...] = NUMERIC,
    models: tuple[str, ...] = (MODEL,),
    segments: tuple[str, ...] = (),
) -> Iterator[dict[str, Any]]:
    """Events in order, ``RATE`` a second of event time; models take turns.

    ``segments`` are names of fields of ``segment``, each with three values.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, n, _BLOCK):
        rows = min(_BLOCK, n - start)
        numbers = rng.normal(size=(rows, len(numeric))).round(10)
        present = numbers.astype(object)
        present[rng.random(numbers.shape) < 0.01] = None
        cells = present.tolist()
        countries = rng.choice(["de", "fr", "us"], rows).tolist()
        devices = rng.choice(["phone", "desk"], rows).tolist()
        scores = rng.random(rows).round(10).tolist()
        values = rng.choice(["a", "b", "c"], (rows, len(segments))).tolist()
        for i in range(rows):
            number = start + i
            features = dict(zip(numeric, cells[i], strict=True))
            features |= zip(CATEGORICAL, (countries[i], devices[i]), strict=True)
            event = {
                "prediction_id": f"0192f3c4-7c1e-7000-8000-{number:012x}",
                "model": models[number % len(models)],
                "version": "3.2.0",
                "timestamp": begin + number / RATE,
                "features": features,
                SCORE: scores[i],
            }
            if segments:
                event["segment"] = dict(zip(segments, values[i], strict=True))
            yield event


def write(directory: Path, n: int, *, passes: int = 1) -> float:
    """Write the log and its reference; return the time of the first event.

    It is so long ago that the log could be told so many times one after the other.
    """
    # A whole second, so that each window of a second has exactly so many events.
    begin = float(math.floor(time.time()) - passes * n // RATE - 120)
    with (directory / "log.jsonl").open("wb") as sink:
        sink.writelines(orjson.dumps(e) + b"\n" for e in events(n, begin=begin))
    earlier = events(REFERENCE_EVENTS, seed=2, begin=begin - 86_400)
    (directory / "reference.jsonl").write_bytes(b"\n".join(map(orjson.dumps, earlier)))
    return begin


def profile(rows: list[dict[str, Any]], model: str = MODEL) -> ReferenceProfile:
    """The same reference as the monitor takes it."""
    table = [row["features"] | {"score": row[SCORE]} for row in rows]
    return build_profile(table, model=model, outputs={"score": "output.score"}, ordered=True)


def headers(number: int, at: float) -> tuple[tuple[str, bytes], ...]:
    """The headers of an event that happened at ``at``, as many and as long as the client's."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"0192f3c4-7c1e-7000-8000-%012x" % number),
        ("ce_type", b"streamgauge.prediction.v1"),
        ("ce_sequence", b"0123456789abcdef-%d" % number),
        ("ce_source", b"/load"),
        ("ce_time", moment(at)),
        ("ce_subject", MODEL.encode()),
        ("content-type", b"application/json"),
    )


def moment(at: float) -> bytes:
    """Seconds since 1970 as ``ce_time`` has them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
