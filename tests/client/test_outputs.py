"""Outputs and labels: whatever a library returns becomes one of the contract's few forms."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pytest

from streamgauge_client import LabelEvent, PredictionEvent, Publisher, ScoredLabel, class_name
from streamgauge_client.testing import capture


class Colour(Enum):
    RED = "red"


def logged(output: Any) -> Any:
    with capture() as events:
        Publisher(model="m", version="1").log(output=output)
    assert events.invalid == []
    (event,) = events.of(PredictionEvent)
    return event.output


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("", ""),
        ("fraud", "fraud"),
        (0.93, 0.93),
        (3, 3),
        (True, "true"),
        (np.True_, "true"),
        (np.bool_(False), "false"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.str_("fraud"), "fraud"),
        (np.array(["fraud"]), "fraud"),
        (np.array([0.25]), 0.25),
        (np.array([0.25, 0.75]), [0.25, 0.75]),
        (np.array([[0.25, 0.75]]), [0.25, 0.75]),
        ((1, 2.5), [1, 2.5]),
        (Colour.RED, "red"),
        (float("nan"), None),
        (np.float64("inf"), None),
        ([1.0, float("nan")], None),
        ({}, None),
        ({"a": float("nan")}, None),
    ],
    ids=repr,
)
def test_plain_outputs(given: Any, expected: Any) -> None:
    assert logged(given) == expected


@pytest.mark.parametrize(
    ("given", "label", "score", "scores"),
    [
        ({False: 0.1, True: 0.9}, "true", 0.9, {"false": 0.1, "true": 0.9}),
        ({0: 0.7, 1: 0.3}, "0", 0.7, {"0": 0.7, "1": 0.3}),
        ({1.0: 0.2, 2.0: 0.8}, "2", 0.8, {"1": 0.2, "2": 0.8}),
        ({"cat": 0.6, "dog": 0.4}, "cat", 0.6, {"cat": 0.6, "dog": 0.4}),
        ({"a": 0.5, "b": 0.5}, "a", 0.5, {"a": 0.5, "b": 0.5}),
        ({np.int64(3): np.float32(0.5)}, "3", 0.5, {"3": 0.5}),
        ({np.True_: Decimal("0.75")}, "true", 0.75, {"true": 0.75}),
        ({"a": float("nan"), "b": 0.1}, "b", 0.1, {"b": 0.1}),
        ({"label": True, "score": 0.9}, "true", 0.9, None),
        ({"label": "x"}, "x", None, None),
        ({"label": 1, "score": None, "scores": {0: 0.1, 1: 0.9}}, "1", None, {"0": 0.1, "1": 0.9}),
        (ScoredLabel(label="x", score=0.5), "x", 0.5, None),
    ],
    ids=repr,
)
def test_classes_become_a_scored_label(given: Any, label: str, score: Any, scores: Any) -> None:
    assert logged(given) == ScoredLabel(label=label, score=score, scores=scores)


@pytest.mark.parametrize("truth", [True, np.True_, "true"], ids=repr)
def test_a_label_meets_its_output(truth: Any) -> None:
    # Given a model that answers with probabilities of booleans
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        prediction_id = publisher.log(output={False: 0.1, True: 0.9})
        # When the truth is told in whatever form it has there
        publisher.label(prediction_id, truth)
    # Then it is written as the output's class is
    (prediction,), (label,) = events.of(PredictionEvent), events.of(LabelEvent)
    assert isinstance(prediction.output, ScoredLabel)
    assert label.label == prediction.output.label


def test_a_numeric_label_meets_a_scored_output_by_its_class_name() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        publisher.label(publisher.log(output={0: 0.2, 1: 0.8}), 1)
    (prediction,), (label,) = events.of(PredictionEvent), events.of(LabelEvent)
    assert label.label == 1, "a number stays a number: it may be a quantity"
    assert isinstance(prediction.output, ScoredLabel)
    assert class_name(label.label) == prediction.output.label


def test_soft_labels_are_written_like_outputs() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        publisher.label("p-1", {False: 0.3, True: 0.7})
    (label,) = events.of(LabelEvent)
    assert label.label == ScoredLabel(label="true", score=0.7, scores={"false": 0.3, "true": 0.7})


def test_too_many_classes_keep_the_best_and_are_counted() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        publisher.log(output={f"class-{number}": number / 2000 for number in range(1500)})
    (prediction,) = events.of(PredictionEvent)
    assert prediction.output == ScoredLabel(label="class-1499", score=0.7495)
    assert publisher.stats().adjusted == {"scores": 1}
