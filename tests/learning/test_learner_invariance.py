"""However the log is cut, and wherever a learner is restarted: the same bytes, the same events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.learning.test_partition_learner import KEY, SPEC, alarm
from tests.monitor.streams import START, Book, prediction
from tests.monitor.truths import label, merged

ROWS = 1200
LEARNING: dict[str, Any] = {
    "challengers": {
        "online": {"estimator": "logistic_regression"},
        "other": {"estimator": "gaussian_nb"},
    },
    "promotion": {"mode": "automatic", "period": 0, "cooldown": 0, "min_labels": 100},
    "quota": 0.6,
    "retraining": {"on_drift": True, "min_labels": 50, "every": "3s", "cooldown": "1s"},
    "on_concept_drift": "challenger",
}


def spec(model: str, **changes: Any) -> ModelSpec:
    return ModelSpec.from_document(
        {
            **SPEC,
            "model": model,
            "label_delay": {"max": "4s"},
            "labels": {"implicit_negative_after": "2s"},
            "learning": LEARNING,
            **changes,
        }
    )


def book() -> Book:
    """Two models; the first gets a spec, then another, and then one without its champion."""
    only = {**LEARNING, "challengers": {"other": {"estimator": "gaussian_nb"}}}
    changed = {**LEARNING, "challengers": {"online": {"estimator": "perceptron"}}}
    return Book(
        Configuration(spec("fraud"), 1, START + 0.5),
        Configuration(spec("fraud", label_delay={"max": "3s"}), 2, START + 0.8),
        Configuration(spec("fraud", learning=changed | only | {"quota": 1.0}), 3, START + 9.0),
        Configuration(spec("second", learning={**LEARNING, "quota": 1.0}), 1, START + 3.0),
    )


def log(seed: int) -> list[LogRecord]:
    """Bare scores, words for classes, late and missing labels, withdrawn ones, alarms."""
    rng = np.random.default_rng(seed)
    parts: list[list[LogRecord]] = []
    for model, rate in (("fraud", 100.0), ("second", 40.0)):
        x = rng.normal(size=(ROWS, 2))
        truth = x[:, 0] + x[:, 1] > 0.5
        said = truth ^ (rng.random(ROWS) < 0.35)
        events, labels = [], []
        for i in range(ROWS):
            at = START + i / rate
            features = {"a": float(x[i, 0]), "b": float(x[i, 1]), "c": "x" if i % 3 else None}
            if i % 5 == 0:
                features = dict(reversed(features.items()))
            output = float(rng.uniform(0.5, 1.0) if said[i] else rng.uniform(0.0, 0.5))
            events.append(prediction(i, at, features, model=model, output=output))
            if truth[i] or rng.random() < 0.5:
                word: Any = "sick" if truth[i] else "healthy"
                if i % 40 == 3:
                    word = None
                late = at + float(rng.exponential(0.8)) - 0.1
                who = f"nurse {i % 3}" if i % 4 else "doctor"
                labels.append(label(i, late, i, word, model=model, annotator=who))
        parts += [events, labels]
    alarms = [
        alarm(0, START + 4.0, firing=True),
        alarm(1, START + 4.5, firing=False),
        alarm(2, START + 5.0, firing=True, kind="concept_drift"),
        alarm(3, START + 8.0, firing=False, kind="concept_drift"),
    ]
    return merged(*parts, alarms)


def run(records: list[LogRecord], edges: list[int], *, restart: bool) -> tuple[Any, ...]:
    made, stored = PartitionLearner(0, book=book(), key=KEY), dict[str, bytes]()
    events: list[Any] = []
    counts: dict[Any, int] = {}
    for start, end in zip([0, *edges], [*edges, len(records)], strict=True):
        effects = made.process(records[start:end])
        events += effects.events
        for name, n in effects.counts.items():
            counts[name] = counts.get(name, 0) + n
        if restart:
            stored |= made.dirty().blobs
            stored = {name: blob for name, blob in stored.items() if blob}
            made = PartitionLearner(0, book=book(), key=KEY)
            made.restore(stored)
    stored |= made.dirty().blobs
    return events, counts, {name: blob for name, blob in stored.items() if blob}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_log_gives_the_same_bytes_however_it_is_cut(seed: int) -> None:
    # Given a log with all that a log may hold, taken at once
    records = log(seed)
    whole = run(records, [], restart=False)
    told = {each.action for each in whole[0]}
    assert {"promoted", "retrain_requested", "retired"} <= told
    rng = np.random.default_rng(seed)
    for cuts, restart in ((len(records) - 1, False), (300, False), (7, True), (3, True)):
        places = rng.choice(np.arange(1, len(records)), cuts, replace=False)
        # When it comes in pieces, with restarts between them
        parts = run(records, sorted(places.tolist()), restart=restart)
        # Then events, counts and states are the same
        assert parts[0] == whole[0]
        assert parts[1] == whole[1]
        different = {
            name.partition(".")[2] or "state"
            for name in parts[2].keys() | whole[2].keys()
            if parts[2].get(name) != whole[2].get(name)
        }
        assert not different, (cuts, restart)
