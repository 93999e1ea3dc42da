"""A champion that learns on while its snapshots serve, on a stream whose labels are poisoned."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from streamgauge.learning.facts import LearnedFacts
from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.pipelines.pipeline import Classified, Pipeline
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.learning.test_partition_learner import KEY
from tests.monitor.streams import START, Book, prediction, record
from tests.monitor.truths import label

#: Rows of a step: then the newest snapshot serves, if it may.
STEP = 50
CLEAN = 1500

#: What a label says: of (row, truth) whether it is turned round, and who says so.
Poison = Callable[[int], tuple[bool, str]]


def served_accuracy(
    challenger: dict[str, Any],
    poison: Poison,
    *,
    gated: bool,
    rows: int = 3000,
    quota: float = 1.0,
    seed: int = 1,
) -> tuple[list[float], int]:
    """Accuracy of what serves in each step after the clean rows, and how often the gate held."""
    spec = ModelSpec.from_document(
        {
            "model": "fraud",
            "task": "binary",
            "label_delay": {"max": "60s"},
            "learning": {
                "challengers": {"online": challenger},
                "promotion": {"mode": "manual"},
                "quota": quota,
                "snapshot": {"every": "1s"},
            },
        }
    )
    made = PartitionLearner(0, book=Book(Configuration(spec, 1)), key=KEY)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    margin = x @ np.array([1.0, -1.0, 0.5, 0.0, 0.0])
    truth = margin + 0.3 * rng.normal(size=rows) > 0
    accuracies: list[float] = []
    held = 0
    serving: Pipeline | None = None
    for start in range(0, rows, STEP):
        log: list[LogRecord] = []
        right = 0
        for i in range(start, start + STEP):
            at = START + i / 100
            features = {name: float(value) for name, value in zip("abcde", x[i], strict=True)}
            answer = serving.predict(features) if serving is not None else None
            said = answer.label if isinstance(answer, Classified) else "false"
            right += said == ("true" if truth[i] else "false")
            log.append(prediction(i, at, features, output={"label": said, "score": 0.9}))
            turned, who = poison(i) if i >= CLEAN else (False, f"annotator {i % 20}")
            told = bool(truth[i]) ^ turned
            log.append(label(i, at + 0.001, i, told, annotator=who))
        made.process(log)
        if start >= CLEAN:
            accuracies.append(right / STEP)
        learner = made._models["fraud"]
        learner.changed_parts()
        (facts,) = LearnedFacts.of(learner, 1).candidates
        held += start >= CLEAN and not facts.fit_to_serve
        if start + STEP == CLEAN // 2:
            made.process([chosen(START + (start + STEP) / 100)])
        if start + STEP >= CLEAN // 2:
            online = learner.candidates["online"]
            content = online.gate.snapshot if gated else online.pipeline.to_bytes()
            serving = Pipeline.from_state(pickle.loads(content))
    return accuracies, held


def chosen(at: float) -> LogRecord:
    event = {
        "model": "fraud",
        "version": "1",
        "action": "promoted",
        "timestamp": at,
        "actor": "somebody",
        "data": {"pipeline": "online"},
    }
    return record(0, orjson.dumps(event), at, topic="streamgauge.models")
