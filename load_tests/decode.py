"""How long decoding and columns take per event, beside bare ``orjson.loads`` on the same bytes.

    python load_tests/decode.py [EVENTS] [MODELS]

Events are those of the standard job: ten numeric features (1 % null), two categorical, one score.
The best of many runs is printed, because a shared machine only ever adds time.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable

import numpy as np
import orjson

from streamgauge.batch.columns import feature_columns, group_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.processing import LogRecord
from streamgauge_client.events import PredictionEvent

NUMERIC = [f"feature_{i}" for i in range(10)]
CATEGORICAL = ["country", "device"]
NOW = 1_700_000_000.0
RUNS = 20


def standard_log(events: int, models: int) -> list[LogRecord]:
    """A chunk as the client would have written it, seeded."""
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(events, len(NUMERIC)))
    missing = rng.random(numbers.shape) < 0.01
    records = []
    for i in range(events):
        features: dict[str, object] = {
            name: None if missing[i, k] else float(numbers[i, k]) for k, name in enumerate(NUMERIC)
        }
        features |= {"country": ("de", "fr", "us")[i % 3], "device": ("phone", "desk")[i % 2]}
        event = {
            "prediction_id": f"0192f3c4-7c1e-7000-8000-{i:012x}",
            "model": f"model-{i % models}",
            "version": "3",
            "timestamp": NOW + i * 1e-3,
            "features": features,
            "output": float(rng.random()),
            "latency_ms": float(rng.exponential(12.0)),
        }
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", event["prediction_id"].encode()),  # type: ignore[attr-defined]
            ("ce_type", b"streamgauge.prediction.v1"),
            ("ce_sequence", b"0123456789abcdef-%d" % i),
            ("ce_source", b"/load"),
            ("ce_time", b"2023-11-14T22:13:20.000000Z"),
            ("ce_subject", b"model"),
            ("content-type", b"application/json"),
        )
        records.append(
            LogRecord(
                "streamgauge.predictions",
                0,
                i,
                NOW + i * 1e-3,
                b"model",
                headers,
                orjson.dumps(event),
            )  # fmt: skip
        )
    return records


def main(events: int = 5_000, models: int = 1) -> None:
    """Measure each stage and print a table."""
    records = standard_log(events, models)
    values = [record.value or b"" for record in records]
    decoded = decode_records(records)
    if decoded.dead:
        raise SystemExit(f"the standard log is wrong: {decoded.dead[0][1].error}")
    batches = group_by_model(decoded)
    names = NUMERIC + CATEGORICAL

    def measured(stage: Callable[[], object]) -> float:
        return min(timeit.repeat(stage, number=1, repeat=RUNS)) / events * 1e6

    bare = measured(lambda: [orjson.loads(value) for value in values])
    size = sum(map(len, values)) / events
    print(f"{events:,} events of {size:.0f} bytes, {models:,} models, best of {RUNS}")
    print(f"{'stage':<34}{'µs/event':>9}{'× orjson':>9}")
    for stage, cost in {
        "orjson.loads": bare,
        "decode_records": measured(lambda: decode_records(records)),
        "group_by_model": measured(lambda: group_by_model(decoded)),
        "feature_columns, 10 numeric": measured(
            lambda: [feature_columns(batch.features, NUMERIC) for batch in batches.values()]
        ),
        "feature_columns, 2 more categorical": measured(
            lambda: [feature_columns(batch.features, names) for batch in batches.values()]
        ),
        "pydantic, for comparison": measured(
            lambda: [PredictionEvent.model_validate_json(value) for value in values]
        ),
    }.items():
        print(f"{stage:<35}{cost:>8.2f}{cost / bare:>9.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
