"""What may come to a learner from outside: never a crash, never a NaN in a view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest

from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.learner_views import LearnerView
from tests.learning.test_partition_learner import KEY, SPEC, feed, learner, pipeline, stream
from tests.monitor.streams import START, Book, prediction
from tests.monitor.truths import label, merged

ODD: list[Any] = [0.0, 1.0, 7.5, -1e308, 1e308, "", "true", "x" * 300, "ü", True, False, None]


def view(made: PartitionLearner, *, restart: bool = True) -> LearnerView:
    """The model's view, with finite figures, also after a restart."""
    (content,) = made.views().values()
    assert all(math.isfinite(each) for each in numbers(orjson.loads(content)))
    assert b"NaN" not in content and b"Infinity" not in content
    if not restart:
        return LearnerView.model_validate_json(content)
    blobs = {name: blob for name, blob in made.dirty().blobs.items() if blob}
    again = PartitionLearner(0, book=made._book, key=KEY)
    again.restore(blobs)
    assert again.views() == made.views()
    return LearnerView.model_validate_json(content)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("seed", [1, 2])
def test_any_output_with_any_label_is_taken(task: str, seed: int) -> None:
    # Given outputs and labels of every kind, features that come, go and change their type
    rng = np.random.default_rng(seed)
    log: list[LogRecord] = []
    for i in range(600):
        names = [f"f{n}" for n in rng.integers(0, 40, 4)]
        features = {name: ODD[int(rng.integers(len(ODD)))] for name in names}
        said: Any = ODD[int(rng.integers(len(ODD)))]
        if i % 3 == 0:
            said = {"label": "a", "score": 0.3, "scores": {"a": 0.3, "b": 5.0}}
        at = START + i / 100
        log.append(prediction(i, at, features, output=said))
        log.append(label(i, at + 0.5, i, ODD[int(rng.integers(len(ODD)))]))
        log.append(label(i, at + 0.5, i + 10_000, True))
    estimator = "linear_regression" if task == "regression" else "logistic_regression"
    if task == "multiclass":
        estimator = "gaussian_nb"
    asked = {**SPEC["learning"], "challengers": {"online": {"estimator": estimator}}}
    made = learner(task=task, learning=asked)
    # When the learner takes them
    feed(made, log, range(0, len(log), 97))
    # Then it is there, and says what it has
    assert view(made).candidates[0].name == "online"


def test_numbers_too_far_apart_to_subtract_are_compared() -> None:
    asked = {**SPEC["learning"], "challengers": {"online": {"estimator": "linear_regression"}}}
    made = learner(task="regression", learning=asked)
    log = []
    for i in range(400):
        sign = -1.0 if i % 2 else 1.0
        log.append(prediction(i, START + i / 100, {"x": 1.0}, output=-sign * 1.7e308))
        log.append(label(i, START + i / 100 + 0.005, i, sign * 1.7e308))
    feed(made, log)
    assert view(made).champion_answered == 400


def test_probabilities_outside_of_0_to_1_are_no_answers() -> None:
    events = [prediction(i, START + i, {"x": 1.0}, output=1.5) for i in range(50)]
    labels = [label(i, START + i + 0.5, i, True) for i in range(50)]
    made = learner()
    feed(made, merged(events, labels))
    assert view(made).champion_answered == 0 and pipeline(made).learned == 50


def test_one_class_is_learned_and_compared() -> None:
    events = [prediction(i, START + i, {"x": 1.0}, output=0.9) for i in range(300)]
    labels = [label(i, START + i + 0.5, i, "sick") for i in range(300)]
    made = learner()
    feed(made, merged(events, labels))
    told = view(made)
    assert told.champion_answered == 300 and told.champion_loss == 0.0


def test_labels_without_predictions_are_learned_by_nobody() -> None:
    _, labels = stream(2000, champion=0.3)
    made = learner()
    feed(made, labels)
    assert view(made).learned == 0


def test_an_estimator_that_is_no_more_costs_its_candidate_and_nothing_else() -> None:
    # Given a stored spec that names one, beside another that is well
    said = {"old": {"estimator": "quantum_forest"}, **SPEC["learning"]["challengers"]}
    events, labels = stream(500, champion=0.3)
    made = learner(learning={**SPEC["learning"], "challengers": said})
    # When the log comes
    feed(made, merged(events, labels))
    # Then the candidate says what is wrong, and the other learns
    told = {each.name: each for each in view(made).candidates}
    assert "quantum_forest" in told["old"].halted and told["old"].estimator == "quantum_forest"
    assert told["old"].learned == 0 and told["online"].learned == 500
    # And when the spec is mended, it learns too
    mended = ModelSpec.from_document(
        {
            **SPEC,
            "learning": {
                **SPEC["learning"],
                "challengers": {**said, "old": {"estimator": "logistic_regression"}},
            },
        }
    )
    made._models["fraud"].configure(mended, at=START + 9.0)
    more, truths = stream(700, champion=0.3)
    feed(made, merged(more[500:], truths[500:]))
    assert pipeline(made, "old").learned == 200


@pytest.mark.parametrize("task", [None, "ranking"])
def test_a_task_that_nobody_learns_breaks_candidates_and_no_partition(task: str | None) -> None:
    spec = ModelSpec.from_document(SPEC).model_copy(update={"task": task})
    made = PartitionLearner(0, book=Book(Configuration(spec, 1)), key=KEY)
    events, labels = stream(100, champion=0.3)
    feed(made, merged(events, labels))
    told = view(made)
    assert told.candidates[0].halted and told.candidates[0].learned == 0


def test_a_model_that_grows_beyond_its_size_stops_learning_and_says_so() -> None:
    asked = {
        "challengers": {
            "online": {
                "estimator": "knn_classifier",
                "parameters": {"window_size": 5000},
                "encoding": "none",
            }
        },
        "max_bytes": "10kB",
    }
    events, labels = stream(1500, champion=0.3)
    made = learner(learning=asked)
    feed(made, merged(events, labels))
    told = view(made).candidates[0]
    assert "learning.max_bytes" in told.halted and told.learned == 1000
    assert told.refused == {"halted": 500}


def test_the_plain_one_beside_grows_no_further_either() -> None:
    # Given inputs whose every event has features of its own
    events = [
        prediction(i, START + i / 100, {f"k{i}": 1.0, "c": f"v{i}"}, output=0.9)
        for i in range(1500)
    ]
    labels = [label(i, START + i / 100 + 0.5, i, i % 2 == 0) for i in range(1500)]
    made = learner(learning={"baseline": "linear", "max_bytes": "20kB"})
    feed(made, merged(events, labels))
    told = view(made).plain
    assert told is not None and "learning.max_bytes" in told.halted and told.learned == 1000


def test_annotators_who_contradict_each_other_teach_and_are_compared_once() -> None:
    events, labels = stream(300, champion=0.0)
    others = [
        label(1000 * k + i, START + i / 100 + 0.7 + k / 10, i, (i + k) % 2 == 0, annotator=f"a{k}")
        for i in range(300)
        for k in range(1, 4)
    ]
    made = learner()
    feed(made, merged(events, labels, others), range(50, 1500, 50))
    told = view(made)
    assert told.learned == told.candidates[0].learned == 300
    assert told.champion_answered == 300 and told.pending == 0


def test_a_spec_without_the_champion_gives_the_place_back() -> None:
    # Given a champion, and a spec that drops it
    other = {"challengers": {"next": {"estimator": "gaussian_nb"}}}
    later = ModelSpec.from_document({**SPEC, "learning": other})
    book = Book(
        Configuration(ModelSpec.from_document(SPEC), 1),
        Configuration(later, 2, START + 30.0),
    )
    made = PartitionLearner(0, book=book, key=KEY)
    events, labels = stream(4000, champion=0.3)
    log = merged(events, labels)
    feed(made, [each for each in log if (each.timestamp or 0.0) < START + 29.0])
    assert made._models["fraud"].championship.champion == "online"
    made.dirty()
    # When it takes effect
    feed(made, [each for each in log if (each.timestamp or 0.0) >= START + 29.0])
    # Then the published answers are champion again, and nothing of the old one is kept
    assert made._models["fraud"].championship.champion == "published"
    gone = {name.partition(".")[2] for name, blob in made.dirty().blobs.items() if not blob}
    assert {"monline", "bonline", "sonline"} <= gone
    assert [each.name for each in view(made, restart=False).candidates] == ["next"]


def test_labels_that_say_who_they_are_from_are_taught_by_quota() -> None:
    events, _ = stream(1000, champion=0.3)
    said = ["crowd" if i % 10 else f"expert {i}" for i in range(1000)]
    labels = [label(i, START + i / 100 + 0.5, i, True, annotator=said[i]) for i in range(1000)]
    made = learner(learning={**SPEC["learning"], "quota": 0.5})
    feed(made, merged(events, labels))
    assert view(made).candidates[0].refused == {"quota_source": 400}


def test_a_missing_label_that_means_no_is_compared_as_one() -> None:
    # Given labels of the positive class alone, and a spec that says what silence means
    events, labels = stream(2000, champion=0.3)
    positive = [each for each in labels if b"true" in (each.value or b"")]
    made = learner(labels={"implicit_negative_after": "2s"})
    feed(made, merged(events, positive))
    # Then the champion is measured on both classes
    told = view(made)
    assert told.champion_answered > 1700
    assert told.champion_loss == pytest.approx(0.3, abs=0.03)
