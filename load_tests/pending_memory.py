"""What waiting for labels costs: memory, restart, checkpoint bytes, and time per prediction.

    python load_tests/pending_memory.py [--pending 1000000] [--events 40000]

A join with a million predictions pending, written down and restored; then ``PartitionMonitor``
over the same predictions with and without their labels, chunk by chunk in turn, in the process'
own seconds. It exits with 1 where the pending take more than 150 bytes each, or where the join's
own part is more than a quarter of the time of a prediction with its label.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from streamgauge.labels import JoinRule, LabelJoin, Rows, Truth
from streamgauge.labels.digest import digests
from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.truth import model_truth
from streamgauge.monitor.truth.feed import TruthFeed
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack, unpack

MOST_BYTES, MOST_SHARE = 150.0, 0.25
NOW, RATE, CHUNK, DELAY = 1_790_000_000.0, 1_000.0, 2_000, 1.0


def resident_mib() -> float:
    """Memory of this process, as the kernel counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def ids(numbers: Sequence[int]) -> list[str]:
    return [f"00000000-pred-{number:012d}" for number in numbers]


def rows_of(numbers: range) -> Rows:
    rows = Rows.empty(len(numbers))
    rows.digest[:] = digests(ids(numbers))
    rows.offset[:] = np.arange(numbers.start, numbers.stop)
    rows.logged[:] = rows.time[:] = NOW + rows.offset / RATE
    rows.number[:], rows.weight[:] = 0.5, 1.0
    rows.predicted[:] = rows.truth[:] = rows.annotator[:] = -1
    rows.truth_number[:] = rows.observed[:] = np.nan
    return rows


def admit(join: LabelJoin, rows: Rows) -> None:
    """Let a chunk of predictions in."""
    join.admit(rows.digest, rows.logged, np.arange(len(rows)), lambda kept: (rows.take(kept), None))


def pending(n: int) -> float:
    """Let ``n`` predictions wait; print what that takes and return the bytes of each."""
    join = LabelJoin(JoinRule(horizon=1e6, cap=4 * n))
    gc.collect()
    before = resident_mib()
    for start in range(0, n, CHUNK):
        admit(join, rows_of(range(start, min(start + CHUNK, n))))
        join.take()
    each = (resident_mib() - before) * 2**20 / n
    blobs = {name: pack([1, state]) for name, state in join.changed_blocks().items()}
    state = join.state()
    began = time.perf_counter()
    LabelJoin(join.rule).restore(state, {name: unpack(blob)[1] for name, blob in blobs.items()})
    restored = time.perf_counter() - began
    written = sum(map(len, blobs.values())) / n
    print(f"{n} pending: {each:.0f} bytes each, restored in {restored:.2f} s")
    print(f"checkpoint: {written:.0f} bytes a prediction, {labels_written(join, n)}")
    return each


def labels_written(join: LabelJoin, n: int, labels: int = 10_000) -> str:
    """Bytes that random labels cost at the next checkpoint, where it takes many and few."""
    rng, told = np.random.default_rng(1), []
    truth = Truth(1.0, "true", False, 0, float("nan"), None, 1.0, None)
    for count in (labels, 100):
        of = rng.integers(0, n, count).tolist()
        began = time.perf_counter()
        join.label(digests(ids(of)), [truth] * count, [NOW + n / RATE] * count, range(count))
        spent = (time.perf_counter() - began) / count * 1e6
        join.take()
        written = sum(len(pack([1, state])) for state in join.changed_blocks().values()) / count
        told.append(f"{written:.0f} bytes and {spent:.0f} µs a label of {count} random ones")
    return ", ".join(told)


def record(topic: str, offset: int, at: float, event: dict[str, object]) -> LogRecord:
    return LogRecord(f"streamgauge.{topic}", 0, offset, at, b"m", (), orjson.dumps(event))


def chunks(n: int) -> list[tuple[list[LogRecord], list[LogRecord]]]:
    """Predictions of ten features, chunk by chunk, with the labels that come meanwhile."""
    rng = np.random.default_rng(1)
    scores, features = rng.random(n), rng.normal(size=(n, 10)).round(4)
    made = []
    for start in range(0, n, CHUNK):
        some, labels = range(start, min(start + CHUNK, n)), []
        predictions = [
            record(
                "predictions",
                i,
                NOW + i / RATE,
                {
                    "prediction_id": name,
                    "model": "m",
                    "version": "1",
                    "timestamp": NOW + i / RATE,
                    "features": {f"f{j}": value for j, value in enumerate(features[i].tolist())},
                    "output": float(scores[i]),
                },
            )
            for i, name in zip(some, ids(some), strict=True)
        ]
        late = int(DELAY * RATE)
        of = range(max(start - late, 0), max(some.stop - late, 0))
        for i, name in zip(of, ids(of), strict=True):
            event = {"prediction_id": name, "model": "m", "label": bool(scores[i] > 0.4)}
            labels.append(record("labels", i, NOW + i / RATE + DELAY, event))
        made.append((predictions, labels))
    return made


class Book:
    """The default, which knows its task."""

    def versions(self, model: str) -> Sequence[Configuration]:
        return ()

    def default(self, model: str) -> Configuration:
        document = {"model": model, "task": "binary", "label_delay": {"max": "1h"}}
        return Configuration(ModelSpec.from_document(document))


#: What belongs to the join (digests of ids, rows, labels, releases), and to all of truth.
JOIN = ((model_truth, "digests"), *((LabelJoin, n) for n in ("admit", "label", "run_to", "take")))
TRUTH = tuple((TruthFeed, name) for name in ("take", "label", "advance", "give"))


class Clocked:
    """The process' seconds within some functions, the outermost of them counted."""

    def __init__(self, functions: Sequence[tuple[Any, str]]) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._kept = [(owner, name, getattr(owner, name)) for owner, name in functions]

    def __enter__(self) -> Clocked:
        for owner, name, function in self._kept:
            setattr(owner, name, self._timed(function))
        return self

    def __exit__(self, *exc: object) -> None:
        for owner, name, function in self._kept:
            setattr(owner, name, function)

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            self._depth += 1
            began = time.process_time()
            try:
                return function(*given, **more)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.process_time() - began

        return call


def share(n: int) -> float:
    """Print what labels add, and return the join's share of all that a labelled event costs."""
    monitors = [PartitionMonitor(0, book=Book()) for _ in range(3)]
    ratios, joins, truths, costs = [], [], [], []
    for predictions, labels in chunks(n):
        alone, _ = _seconds(monitors[0], predictions, ())
        both, joined = _seconds(monitors[1], predictions + labels, JOIN)
        again, truth = _seconds(monitors[2], predictions + labels, TRUTH)
        ratios.append(both / alone)
        joins.append(joined / both)
        truths.append(truth / again)
        costs.append(both / len(predictions) * 1e6)
    cost, ratio, join, truth = (
        statistics.median(each[2:]) for each in (costs, ratios, joins, truths)
    )
    print(
        f"a prediction with its label: {cost:.1f} µs, {ratio:.2f} times one without;"
        f" the join is {100 * join:.0f} % of it, all of truth {100 * truth:.0f} %"
    )
    return join


def _seconds(
    monitor: PartitionMonitor, records: list[LogRecord], of: Sequence[tuple[Any, str]]
) -> tuple[float, float]:
    """Seconds that a chunk takes, and those of them within some functions."""
    with Clocked(of) as clocked:
        began = time.process_time()
        monitor.process(records)
        return time.process_time() - began, clocked.seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=40_000)
    given = parser.parse_args()
    # Memory first: what else ran would leave room that is filled again unseen.
    each = pending(given.pending)
    part = share(given.events)
    failed = each > MOST_BYTES or part > MOST_SHARE
    print("beyond its limits" if failed else "within its limits")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
