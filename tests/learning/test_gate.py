"""Poison among labels: what serves does not follow it."""

from __future__ import annotations

import functools
import random
from typing import Any

import numpy as np
import pytest

from streamgauge.learning.gate import LABELS, Gate
from streamgauge.pipelines.pipeline import Pipeline, Plan
from tests.learning.poison import Poison, served_accuracy

#: Linear models that each example may throw far: what poison does at once.
JUMPY: dict[str, dict[str, Any]] = {
    "rash": {"estimator": "logistic_regression", "parameters": {"learning_rate": 1.0}},
    "perceptron": {"estimator": "perceptron"},
}


def clean(i: int) -> tuple[bool, str]:
    return False, f"annotator {i % 20}"


def one_in_twenty() -> Poison:
    dice, turned = random.Random(4), dict[int, bool]()
    return lambda i: (turned.setdefault(i, dice.random() < 0.05), f"annotator {i % 20}")


def burst(i: int) -> tuple[bool, str]:
    return (True, "mallory") if 1800 <= i < 2200 else clean(i)


@functools.cache
def mean(poison: Any, *, gated: bool, quota: float = 1.0, challenger: str = "rash") -> float:
    """Of three seeds: one in 1,500 answers is 0.07 points, a seed's noise about half a point."""
    accuracies = [
        served_accuracy(
            JUMPY[challenger],
            poison() if poison is one_in_twenty else poison,
            gated=gated,
            quota=quota,
            seed=seed,
        )[0]
        for seed in (1, 2, 3)
    ]
    return float(np.mean(accuracies))


@pytest.mark.parametrize("challenger", JUMPY)
def test_flipped_labels_do_not_reach_what_serves(challenger: str) -> None:
    healthy = mean(clean, gated=False, challenger=challenger)
    assert mean(one_in_twenty, gated=False, challenger=challenger) < healthy - 0.03
    assert mean(one_in_twenty, gated=True, challenger=challenger) > healthy - 0.01


def test_a_burst_of_one_annotator_does_not_reach_what_serves() -> None:
    healthy = mean(clean, gated=False, challenger="rash")
    assert mean(burst, gated=False, quota=0.1) < healthy - 0.2
    assert mean(burst, gated=True, quota=0.1) > healthy - 0.01


def test_without_poison_what_serves_keeps_up_with_what_is_learned() -> None:
    accuracies, _ = served_accuracy({"estimator": "logistic_regression"}, clean, gated=True)
    fresh, _ = served_accuracy({"estimator": "logistic_regression"}, clean, gated=False)
    assert abs(np.mean(accuracies) - np.mean(fresh)) < 0.005


def pipeline(learned: int) -> Pipeline:
    made = Pipeline(Plan(estimator="linear_regression", task="regression"))
    for i in range(learned):
        made.learn({"x": float(i % 7)}, float(i % 7))
    return made


@pytest.mark.parametrize("newer", [0.2, 0.3, 0.4])
def test_a_trial_is_won_by_losing_less_or_the_same(newer: float) -> None:
    # Given a snapshot that serves, and one that learned more
    gate = Gate()
    gate.serve(pipeline(10))
    gate.begin(pipeline(20), 0.0, 1.0)
    # When both have answered as many events as a trial has
    for i in range(LABELS):
        assert gate.learned == 10
        gate.judge("", 0.3, newer, float(i))
    # Then the newer one serves unless it lost more, and the gate says why if it did
    assert gate.learned == (10 if newer == 0.4 else 20)
    assert bool(gate.lost) == (newer == 0.4)
    assert "losses 0.400 and 0.300 on 100 labels" in gate.lost or not gate.lost
    # And the next trial begins when it is due
    gate.begin(pipeline(30), 0.5, 1.0)
    assert gate.contender is None
    gate.begin(pipeline(30), 1.0, 1.0)
    assert gate.contender is not None


@pytest.mark.parametrize("better", [-15, -2, 2, 15])
def test_what_chance_alone_may_do_changes_nothing(better: int) -> None:
    # Given two that disagree on 40 of 100 answers
    gate = Gate()
    gate.serve(pipeline(10))
    gate.begin(pipeline(20), 0.0, 1.0)
    for i in range(40):
        wins = i < 20 + better
        gate.judge("", float(wins), float(not wins), 0.0)
    for _ in range(LABELS - 40):
        gate.judge("", 0.0, 0.0, 0.0)
    # Then only a difference beyond its standard error decides (2 * 15 > sqrt(40) > 2 * 2)
    assert gate.learned == (20 if better == 15 else 10)
    assert bool(gate.lost) == (better == -15)


def test_one_source_judges_no_more_than_its_share() -> None:
    gate = Gate(0.1)
    gate.serve(pipeline(10))
    gate.begin(pipeline(20), 0.0, 1.0)
    for _ in range(LABELS):
        gate.judge("mallory", 1.0, 0.0, 0.0)
    assert gate.learned == 10
    for i in range(LABELS):
        gate.judge(f"annotator {i}", 0.0, 0.5, 0.0)
    assert gate.learned == 10 and gate.lost


def test_a_gate_goes_on_from_its_state() -> None:
    gate = Gate(0.5)
    gate.serve(pipeline(10))
    gate.begin(pipeline(20), 0.0, 1.0)
    for i in range(60):
        gate.judge(f"{i % 3}", 0.5, 0.25, float(i))
    other = Gate(0.5)
    other.restore(gate.state(), gate.parts())
    for i in range(60, 120):
        for each in (gate, other):
            each.judge(f"{i % 3}", 0.5, 0.25, float(i))
    assert other.state() == gate.state() and other.parts() == gate.parts()
    assert other.digest == gate.digest and other.learned == 20
