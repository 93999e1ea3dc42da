"""Hostile labels and answers: each has a defined outcome, and none stops the monitor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.truths import SPEC, label, merged

N = 450


def watched(**changes: Any) -> PartitionMonitor:
    spec = {name: value for name, value in {**SPEC, **changes}.items() if value is not None}
    return monitor(Configuration(ModelSpec.from_document(spec), number=1))


def said(output: Callable[[int], Any], **more: Any) -> list[LogRecord]:
    return [
        prediction(i, START + i / 100, {"x": float(i % 7)}, output=output(i), **more)
        for i in range(N)
    ]


def told(
    truth: Callable[[int], Any], *, delay: float = 0.5, first: int = 0, **more: Any
) -> list[LogRecord]:
    return [label(first + i, START + i / 100 + delay, i, truth(i), **more) for i in range(N)]


def judged(made: PartitionMonitor, *topics: list[LogRecord]) -> tuple[ModelTruth, dict[str, float]]:
    """The truth after a log, and its totals; all that is shown must be a number."""
    log = merged(*topics)
    drive(made, log, cuts=[len(log) // 3])
    made.advance(START + 1000.0)
    made.dirty()
    truth = made._models["fraud"].truth.truth
    for series in truth.series.values():
        assert all(map(math.isfinite, series.total.get(truth.task).values()))
    found = truth.series.get(("1", ""))
    return truth, found.total.get(truth.task) if found is not None else {}


def score(i: int) -> float:
    return (i * 37 % 100) / 100


def yes(i: int) -> bool:
    return i % 3 == 0


def test_a_fractional_weight_makes_a_repeated_label_no_conflict() -> None:
    truth, figures = judged(
        watched(), said(score), told(yes, weight=0.1), told(yes, weight=0.1, first=N, delay=0.6)
    )
    counts = truth.join.counts
    assert (counts.duplicates, counts.conflicts) == (N, 0)
    assert truth.series["1", ""].total.scored == pytest.approx(0.1 * N, rel=1e-12)


@pytest.mark.parametrize("weight", [1e300, 1e160, 1e-320, 0])
def test_no_weight_is_too_large_or_too_small(weight: float) -> None:
    truth, figures = judged(watched(), said(score), told(yes, weight=weight))
    assert truth.join.counts.joined == N
    assert ("accuracy" in figures) == (weight > 1)


@pytest.mark.parametrize(
    ("output", "truth", "spec"),
    [
        pytest.param(lambda i: 2.0 + i, yes, {}, id="probabilities-above-1"),
        pytest.param(lambda i: -1.0, yes, {}, id="probabilities-below-0"),
        pytest.param(lambda i: 1.0 * i, lambda i: "x", {"task": "regression"}, id="text-of-number"),
        pytest.param(score, lambda i: [1.0, 2.0], {}, id="vector"),
    ],
)
def test_truths_that_do_not_fit_are_counted_and_judge_nothing(
    output: Callable[[int], Any], truth: Callable[[int], Any], spec: Mapping[str, Any]
) -> None:
    found, figures = judged(watched(**spec), said(output), told(truth))
    assert found.mismatched == N and figures == {}


def test_the_largest_numbers_give_finite_errors() -> None:
    _, figures = judged(watched(task="regression"), said(lambda i: 1e308), told(lambda i: -1e308))
    assert figures["mae"] == pytest.approx(2e140)


def test_more_classes_than_are_told_apart_are_left_out_and_counted() -> None:
    # Said in another order than true: what both call their last class is not the same one.
    found, figures = judged(
        watched(task="multiclass"),
        said(lambda i: f"c{(i * 7) % 150}"),
        told(lambda i: f"c{(i * 7 + 1) % 150}"),
    )
    assert figures["accuracy"] == 0.0
    assert found.mismatched > N // 4


def test_numbers_that_name_classes_are_told_apart_to_the_last_digit() -> None:
    _, figures = judged(
        watched(task="multiclass"),
        said(lambda i: {"label": "1234567", "score": 0.5}),
        told(lambda i: 1234567.0 + i % 2),
    )
    assert figures["accuracy"] == 0.5


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(lambda i: {"a": 0.9, "b": 0.9}, id="sum-above-1"),
        pytest.param(lambda i: {"a": 1.5, "b": -0.5}, id="negative"),
        pytest.param(lambda i: {"a": 1e308, "b": 1e308, "c": 1e308}, id="huge"),
    ],
)
def test_class_scores_that_are_no_probabilities_leave_the_decisions_judged(
    scores: Callable[[int], dict[str, float]],
) -> None:
    _, figures = judged(
        watched(task="multiclass"),
        said(lambda i: {"label": "a", "score": 0.5, "scores": scores(i)}),
        told(lambda i: "ab"[i % 2]),
    )
    assert figures["accuracy"] == pytest.approx(0.5, abs=0.01)
    assert "log_loss" not in figures


def test_names_of_scores_without_end_and_a_true_class_without_a_score_are_survived() -> None:
    found, figures = judged(
        watched(task="multiclass"),
        said(
            lambda i: {"label": "a", "score": 0.5, "scores": {f"z{i}_{j}": 0.1 for j in range(10)}}
        ),
        told(lambda i: "ab"[i % 2]),
    )
    assert len(found.join.said) == 100
    assert figures["accuracy"] == pytest.approx(0.5, abs=0.01)


def test_a_truth_that_is_withdrawn_with_a_tag_is_withdrawn() -> None:
    found, figures = judged(
        watched(),
        said(score),
        told(yes),
        told(lambda i: None, first=N, delay=0.7, revision=1, tags={"by": "audit"}),
    )
    assert found.join.counts.withdrawn == N
    assert (found.mismatched, figures) == (0, {})


def test_missing_labels_that_mean_no_make_a_model_binary_that_declares_nothing() -> None:
    positives = [each for i, each in enumerate(told(lambda i: True, delay=30.0)) if yes(i)]
    made = watched(task=None, labels={"implicit_negative_after": "10s"})
    later = [prediction(N, START + 20.0, {"x": 1.0}, output=0.0)]
    found, figures = judged(made, said(score), later, positives)
    assert found.join.counts.implied == N + 1
    right = 1 + sum((score(i) >= 0.5) == yes(i) for i in range(N))
    assert figures["accuracy"] == right / (N + 1)


def test_a_horizon_that_ends_before_no_is_implied_implies_it_then() -> None:
    made = watched(labels={"implicit_negative_after": "100s"}, label_delay={"max": "60s"})
    found, figures = judged(made, said(score), told(lambda i: True)[::3])
    assert found.join.counts.implied == N - N // 3
    assert figures["accuracy"] == sum((score(i) >= 0.5) == yes(i) for i in range(N)) / N


def test_the_highest_revision_of_the_longest_id_is_taken() -> None:
    name = "ü" * 127 + "é"
    event: dict[str, Any] = {"prediction_id": name, "observed_at": START}
    found, figures = judged(
        watched(),
        said(score)[:1] + said(score, prediction_id=name)[1:2],
        [label(0, START + 2.0, 0, True, revision=2**53, **event)],
        [label(1, START + 3.0, 0, False, revision=2**53 - 1, **event)],
    )
    counts = found.join.counts
    assert len(name.encode()) == 256
    assert (counts.joined, counts.outdated) == (1, 1)
    assert (figures["accuracy"], figures["recall"]) == (0.0, 0.0)


def test_a_truth_that_was_observed_in_the_future_is_a_dead_letter() -> None:
    made = watched()
    log = merged(said(score), told(yes, observed_at=START + 1e6))
    effects = drive(made, log)
    assert len(effects.dead_letters) == N
    assert made._models["fraud"].truth.truth.join.counts.labels == 0
