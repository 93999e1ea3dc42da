"""What outcomes are worth, in whatever unit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.outcome_value import OutcomeValue


def test_a_fraud_model_is_worth_what_its_outcomes_are() -> None:
    # Given a prevented fraud saves 80, a false alarm costs 5, a missed one 80, and 3 events in all
    prices = OutcomeValue({(1, 1): 80.0, (1, 0): -5.0, (0, 1): -80.0})
    counts = Confusion()
    # When two frauds of three are found among a thousand, with ten false alarms
    predicted, truth = (
        np.repeat([1, 0, 1, 0], [2, 1, 10, 987]),
        np.repeat([1, 1, 0, 0], [2, 1, 10, 987]),
    )
    counts.update(predicted, truth)
    # Then the window made 160 − 80 − 50
    assert prices.of(counts) == {"value_total": 30.0, "value_mean": 0.03}


def test_what_is_not_named_has_the_value_otherwise() -> None:
    counts = Confusion()
    counts.update(np.array([0, 3]), np.array([0, 1]), np.array([2.5, 1.0]))
    assert OutcomeValue({(0, 0): 1.0}, otherwise=-4.0).of(counts)["value_total"] == -1.5
    assert OutcomeValue({}).of(counts) == {"value_total": 0.0, "value_mean": 0.0}


def test_nothing_is_worth_nothing_that_could_be_said() -> None:
    assert OutcomeValue({(0, 0): 1.0}).of(Confusion()) == {}


def test_an_infinite_total_is_left_out() -> None:
    counts = Confusion()
    counts.update(np.array([0]), np.array([0]), np.array([1e10]))
    assert OutcomeValue({(0, 0): 1e300}).of(counts) == {}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_a_value_that_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match=r"value of \(1, 0\)"):
        OutcomeValue({(1, 0): value})
    with pytest.raises(ValueError, match="all other pairs"):
        OutcomeValue({}, otherwise=value)


def test_refuses_a_class_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"0\.\.99"):
        OutcomeValue({(0, 100): 1.0})
