"""What every estimator of the allow-list promises as a pipeline, whichever it is."""

from __future__ import annotations

import functools
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamgauge.pipelines.estimators import ESTIMATORS
from streamgauge.pipelines.pipeline import Classified, Pipeline, Plan
from tests.pipelines.streams import SLOW, Event, events, truth

CASES = [(name, task) for name, each in ESTIMATORS.items() for task in each.tasks]
every_case = pytest.mark.parametrize(("name", "task"), CASES, ids=lambda value: str(value))


def fresh(name: str, task: str) -> Pipeline:
    scaling = "min_max" if name == "knn_classifier" else "standard"
    return Pipeline(Plan(estimator=name, task=task, scaling=scaling, seed=7, clip=6.0))


def count(name: str) -> int:
    return 24 if name in SLOW else 120


@functools.cache
def learned_bytes(name: str, task: str) -> bytes:
    pipeline = fresh(name, task)
    for event in events(count(name)):
        pipeline.predict(event)
        assert pipeline.learn(event, truth(event, task)) == ""
    return pipeline.to_bytes()


def learned(name: str, task: str) -> Pipeline:
    return Pipeline.from_state(pickle.loads(learned_bytes(name, task)))


def finite(answer: object) -> bool:
    if answer is None:
        return True
    if isinstance(answer, Classified):
        return all(0 <= score <= 1 + 1e-9 for score in answer.scores.values())
    return isinstance(answer, float) and math.isfinite(answer)


@every_case
def test_a_restored_one_goes_on_to_the_same_bytes(name: str, task: str) -> None:
    # Given one that learned without a break, from events in whatever order their features had
    whole = learned_bytes(name, task)
    # When another is restored at two places, and sees the features in another order
    broken = fresh(name, task)
    for i, event in enumerate(events(count(name))):
        answer = broken.predict(event)
        assert finite(answer)
        broken.learn(dict(sorted(event.items())), truth(event, task))
        if i in (3, count(name) // 2):
            broken = Pipeline.from_state(pickle.loads(broken.to_bytes()))
    # Then they are the same, byte for byte
    assert broken.to_bytes() == whole
    assert broken.learned == count(name)


@pytest.mark.parametrize("encoding", ["one_hot", "ordinal", "target"])
def test_texts_that_are_one_object_here_and_two_there_make_no_other_bytes(encoding: str) -> None:
    # Given values and labels that Python keeps as one text: true, names of River's, names of ours
    told: list[tuple[Event, str]] = [
        ({"l2": 1.0}, "plan"),
        ({"l2": 1.0, "first": True}, "estimator"),
        ({"l2": 2.0, "first": True, "second": True}, "plan"),
        ({"loss": 2.0, "first": "loss", "second": "first"}, "estimator"),
    ]
    plan = Plan(estimator="logistic_regression", task="binary", encoding=encoding)
    whole = Pipeline(plan)
    for event, label in told:
        whole.learn(event, label)
    for cut in range(len(told)):
        # When one is restored between their first and their next coming
        broken = Pipeline(plan)
        for i, (event, label) in enumerate(told):
            if i == cut:
                broken = Pipeline.from_state(pickle.loads(broken.to_bytes()))
            broken.learn(event, label)
        # Then nobody can tell from the bytes
        assert broken.to_bytes() == whole.to_bytes()


@pytest.mark.slow
@every_case
def test_so_does_one_whose_trees_have_grown(name: str, task: str) -> None:
    whole, broken = fresh(name, task), fresh(name, task)
    for i, event in enumerate(events(800)):
        whole.learn(event, truth(event, task))
        broken.learn(event, truth(event, task))
        if i % 250 == 100:
            broken = Pipeline.from_state(pickle.loads(broken.to_bytes()))
    assert broken.to_bytes() == whole.to_bytes()


@every_case
def test_answering_changes_nothing(name: str, task: str) -> None:
    pipeline = learned(name, task)
    before = learned_bytes(name, task)
    for event in events(10, seed=9):
        pipeline.predict({**event, "never seen": 1.0, "colour": "never seen"})
    assert pipeline.to_bytes() == before


@every_case
def test_hostile_events_leave_finite_answers(name: str, task: str) -> None:
    # Given a pipeline that has learned
    pipeline = learned(name, task)
    # When events come that nobody should send
    for event in hostile():
        assert finite(pipeline.predict(event))
        assert pipeline.learn(event, truth({"number 0": 0.5}, task)) == ""
    # Then it still answers
    assert pipeline.predict(next(events(1))) is not None, pipeline.halted


def hostile() -> Iterator[Event]:
    yield {}
    yield {"number 0": math.nan, "number 1": math.inf, "number 2": -math.inf, "colour": math.nan}
    yield {"number 0": 10**400, "number 1": 1e308, "number 2": -1e308}
    yield {"number 0": "text", "number 1": True, "colour": 7.0, "member": "maybe"}
    yield {"number 0": [1.0, 2.0], "number 1": {"a": 1}, "colour": ["red"], "member": None}
    yield {"number 0": -0.0, "colour": "x" * 100_000, "\ud800": "\ud800", "": 1.0}
    yield {f"flood {i}": float(i) for i in range(30)}


@every_case
def test_what_can_t_be_a_truth_is_refused(name: str, task: str) -> None:
    pipeline = fresh(name, task)
    bad: object
    for bad in (None, math.nan, [], {}):
        assert "truth" in pipeline.learn({"number 0": 1.0}, bad)
    for weight in (0.0, -1.0, math.nan, math.inf):
        assert "weight" in pipeline.learn({"number 0": 1.0}, True, weight)
    assert pipeline.learned == 0 and not pipeline.halted


SCRIPT = """
import hashlib
from tests.pipelines.test_contract import ESTIMATORS, learned_bytes
for name, each in ESTIMATORS.items():
    task = each.tasks[-1]
    print(name, task, hashlib.sha256(learned_bytes(name, task)).hexdigest())
"""


def test_the_same_log_gives_the_same_bytes_in_every_process() -> None:
    # Given two processes whose sets and hashes are ordered differently
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    # When both learn the same log
    first, second = (process.communicate(timeout=120)[0] for process in running)
    # Then their models are the same bytes
    assert first == second
    assert len(first.splitlines()) == len(ESTIMATORS)
