"""What the learner costs beside River's bare loop of the same model, from records on, paired.

    python load_tests/learner_process.py [--rounds 5] [--rows 3000]

Each round feeds the same log of predictions and labels, in chunks, to a ``PartitionLearner`` with
one challenger and the plain model beside it (decoding, join, asking, learning, comparing; no
checkpoint), and the decoded rows to River's ``predict_one`` and ``learn_one``. Times are of the
processor: others may share the machine. The last line holds the ratios, the median over rounds, and
the price of a record beside the model.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from river import forest, linear_model, preprocessing, tree

sys.path.insert(0, str(Path(__file__).parents[1]))

from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.streams import Book

BUDGET = 1.30
CHUNK = 1000
NAMES = [f"x{i}" for i in range(10)]
CASES: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "standard | logistic_regression": (
        {"estimator": "logistic_regression"},
        lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
    ),
    "hoeffding_tree_classifier": (
        {"estimator": "hoeffding_tree_classifier", "scaling": "none"},
        tree.HoeffdingTreeClassifier,
    ),
    "adaptive_random_forest_classifier": (
        {"estimator": "adaptive_random_forest_classifier", "scaling": "none"},
        lambda: forest.ARFClassifier(seed=1),
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=3000)
    options = parser.parse_args()
    rows, log = _rows(options.rows), []
    for i, (features, truth) in enumerate(rows):
        log += _records(i, features, truth)
    told = {}
    for name, (plan, bare) in CASES.items():
        ratios, ours, bares = [], [], []
        for turn in range(options.rounds):
            timed: dict[str, float] = {}
            for which in ("ours", "bare") if turn % 2 else ("bare", "ours"):
                timed[which] = _ours(plan, log) if which == "ours" else _bare(bare(), rows)
            ratios.append(timed["ours"] / timed["bare"])
            ours.append(timed["ours"] / len(rows) * 1e6)
            bares.append(timed["bare"] / len(rows) * 1e6)
        told[name] = statistics.median(ratios)
        print(
            f"{name:32s} bare {min(bares):6.1f} us  ours {min(ours):6.1f} us  "
            f"ratio {told[name]:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )
    worst = max(told.values())
    linear, trees, forests = told.values()
    print(
        f"learner_process: linear={linear:.2f} tree={trees:.2f} forest={forests:.2f}"
        f" budget={BUDGET}"
    )
    return int(worst > BUDGET)


def _rows(n: int) -> list[tuple[dict[str, float], bool]]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, len(NAMES)))
    truth = x @ rng.normal(size=len(NAMES)) > 0
    return [
        (dict(zip(NAMES, row, strict=True)), bool(label))
        for row, label in zip(x.tolist(), truth.tolist(), strict=True)
    ]


def _records(i: int, features: dict[str, float], truth: bool) -> list[LogRecord]:
    at = 1_790_000_000.0 + i / 100
    said = {"prediction_id": f"p{i}", "model": "m", "version": "1", "timestamp": at}
    event = orjson.dumps({**said, "features": features, "output": {"label": "true", "score": 0.7}})
    label = orjson.dumps({"prediction_id": f"p{i}", "model": "m", "label": truth})
    return [
        LogRecord("streamgauge.predictions", 0, i, at, b"m", (), event),
        LogRecord("streamgauge.labels", 0, i, at + 0.001, b"m", (), label),
    ]


def _ours(plan: dict[str, Any], log: list[LogRecord]) -> float:
    spec = ModelSpec.from_document(
        {
            "model": "m",
            "task": "binary",
            "label_delay": {"max": "60s"},
            "learning": {"challengers": {"c": plan}, "promotion": {"mode": "manual"}},
        }
    )
    made = PartitionLearner(0, book=Book(Configuration(spec, 1)), key=b"k" * 32)
    start = time.process_time()
    for first in range(0, len(log), CHUNK):
        made.process(log[first : first + CHUNK])
    taken = time.process_time() - start
    assert made._models["m"].candidates["c"].pipeline.learned == len(log) // 2
    return taken


def _bare(model: Any, rows: list[tuple[dict[str, float], bool]]) -> float:
    start = time.process_time()
    for features, truth in rows:
        model.predict_one(features)
        model.learn_one(features, truth)
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
