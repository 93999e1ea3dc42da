"""The section `learning`: what it takes, and how mistakes in it are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from streamgauge.cli.spec_files import learner_catalogue
from streamgauge.pipelines.building import build
from streamgauge.pipelines.encoding import ENCODINGS
from streamgauge.pipelines.estimators import ESTIMATORS
from streamgauge.pipelines.imbalance import IMBALANCES
from streamgauge.pipelines.scaling import SCALINGS
from streamgauge.plugins import PluginError
from streamgauge.specs import Mistake, ModelSpec, SpecInvalid
from streamgauge.specs.effective import effective_settings
from streamgauge.specs.json_schema import spec_schema
from streamgauge.specs.learning import ChallengerSpec, LearningSpec
from streamgauge.specs.lint import lint
from streamgauge.specs.scalars import day_start
from streamgauge.specs.yaml_source import load_spec

EXAMPLE = Path(__file__).parents[2] / "deploy/specs/fraud.yaml"
LEARNERS = learner_catalogue()


def read(text: str, task: str = "binary") -> ModelSpec:
    data = f"model: m\ntask: {task}\n{text}\n".encode()
    return load_spec(data, name="f.yaml", learners=LEARNERS)


def mistake(text: str, task: str = "binary") -> Mistake:
    with pytest.raises(SpecInvalid) as caught:
        read(text, task)
    (found,) = caught.value.mistakes
    return found


def challenger(inside: str) -> str:
    return f"learning: {{challengers: {{c: {{{inside}}}}}}}"


def test_the_example_is_read_and_built() -> None:
    spec = load_spec(EXAMPLE.read_bytes(), name="fraud.yaml", learners=LEARNERS)
    learning = spec.learning
    assert learning.max_bytes == 16_000_000
    assert learning.retraining.max_age_seconds == 30 * 86_400.0
    assert learning.frozen[0].holds(day_start("2027-01-03") + 86_399.0)
    plan = build(spec, "online").plan
    assert plan.features == ("amount", "country", "channel") and plan.never == ("age",)
    assert plan.kinds["country"] == "categorical" and plan.clip == 6.0
    assert plan.desired == {"true": 0.2, "false": 0.8}


def test_defaults_learn_nothing_and_guard_what_learns() -> None:
    learning = LearningSpec()
    assert learning.allowed and not learning.challengers and not learning.frozen
    assert (learning.quality_policy, learning.clip, learning.quota) == ("wait", 6.0, 1.0)
    assert (learning.promotion.mode, learning.promotion.alpha) == ("approval", 0.05)
    assert learning.retraining.below is None and not learning.retraining.on_drift


def test_a_document_survives_the_store_and_a_process_defaults() -> None:
    spec = load_spec(EXAMPLE.read_bytes(), name="fraud.yaml")
    assert ModelSpec.from_document(spec.document()).learning == spec.learning
    assert spec.over({"defaults": {"pane": 5.0}}).learning == spec.learning
    Draft202012Validator(spec_schema()).validate(spec.document())


def test_clipping_can_be_turned_off() -> None:
    spec = read("learning: {clip: null, challengers: {c: {estimator: gaussian_nb}}}")
    assert spec.learning.clip is None and build(spec, "c").plan.clip == 0.0


def test_words_of_the_spec_are_those_that_there_are() -> None:
    fields = ChallengerSpec.model_fields
    assert get_args(fields["scaling"].annotation) == tuple(SCALINGS)
    assert get_args(fields["encoding"].annotation) == tuple(ENCODINGS)
    assert get_args(fields["imbalance"].annotation) == IMBALANCES


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_can_be_named_with_all_its_parameters(name: str) -> None:
    entry = ESTIMATORS[name]
    parameters = {key: each.default for key, each in entry.parameters.items()}
    document: dict[str, Any] = {
        "model": "m",
        "task": entry.tasks[0],
        "learning": {"challengers": {"c": {"estimator": name, "parameters": parameters}}},
    }
    spec = ModelSpec.from_document(document, context={"learners": LEARNERS})
    assert build(spec, "c").plan.parameters == parameters


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (
            challenger("estimator: logistic_regresion"),
            3,
            41,
            ["found logistic_regresion", "did you mean `logistic_regression`?"],
        ),
        (challenger("estimator: os.system"), 3, 41, ["expected an estimator: logistic_regression"]),
        (challenger("scaling: none"), 3, 29, ["`estimator` is missing"]),
        (
            challenger("estimator: perceptron, scaling: standart"),
            3,
            62,
            ["did you mean `standard`"],
        ),
        (
            challenger("estimator: perceptron, parameters: {lr2: 1}"),
            3,
            66,
            ["unknown key `lr2`", "a parameter of perceptron: l2", "did you mean `l2`?"],
        ),
        (
            challenger("estimator: perceptron, parameters: {l2: -1}"),
            3,
            70,
            ["found -1", "a number from 0 to 1000"],
        ),
        (
            challenger("estimator: perceptron, parameters: {l2: [1]}"),
            3,
            70,
            ["found a list", "a number, a word, true or false"],
        ),
        (challenger("estimator: knn_classifier, parameters: {n_neighbors: 2.5}"), 3, 83, ["whole"]),
        (
            challenger("estimator: linear_regression"),
            3,
            41,
            ["an estimator for binary: logistic_regression"],
        ),
        (challenger("estimator: perceptron, desired: {a: 0.5, b: 0.5}"), 3, 62, ["no `desired`"]),
        (
            challenger("estimator: perceptron, imbalance: over_sampling, desired: {a: 1, b: 0.5}"),
            3,
            88,
            ["add up to 1 (not 1.5)"],
        ),
        (challenger("estimator: perceptron, features: []"), 3, 63, ["at least 1 entries"]),
        (challenger("estimator: perceptron, paramters: {}"), 3, 53, ["did you mean `parameters`?"]),
        ("learning: {frozen: [{from: 2026-12-20, to: 2026-12-19}]}", 3, 44, ["not before `from`"]),
        ("learning: {frozen: [{from: 2026-12-20}]}", 3, 21, ["`to` is missing"]),
        ("learning: {max_step: 0}", 3, 22, ["a number above 0"]),
        ("learning: {quota: 0}", 3, 19, ["a ratio above 0 and up to 1"]),
        ("learning: {clip: 0.5}", 3, 18, ["a number from 1 to 1000"]),
        ("learning: {quality_policy: wate}", 3, 28, ["did you mean `wait`?"]),
        ("learning: {max_bytes: 16 XB}", 3, 23, ["a size like 16 MB"]),
        ("learning: {max_bytes: 1}", 3, 23, ["a size from 10 kB to 1 GiB"]),
        ("learning: {promotion: {mode: auto}}", 3, 30, ["one of automatic, approval, manual"]),
        ("learning: {promotion: {alpha: 0.9}}", 3, 31, ["up to 0.5"]),
        ("learning: {promotion: {cooldown: soon}}", 3, 34, ["a duration like"]),
        ("learning: {retraining: {below: recall}}", 3, 32, ["a claim like"]),
        ("learning: {snapshot: {every: 0}}", 3, 30, ["from 1s to 24h"]),
        ("challengers: {}", 3, 1, ["it belongs in `learning`"]),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, line: int, column: int, words: list[str]
) -> None:
    found = mistake(text)
    assert (found.line, found.column) == (line, column), found.headline()
    for word in words:
        assert word in found.headline()


def test_what_does_not_fit_the_task_is_told() -> None:
    classifier = challenger("estimator: logistic_regression")
    assert (
        "an estimator for multiclass: softmax_regression"
        in mistake(classifier, "multiclass").headline()
    )
    assert "an estimator for regression: linear_reg" in mistake(classifier, "regression").headline()
    assert "no challengers unless `task` is binary" in mistake(classifier, "ranking").headline()
    sampling = challenger("estimator: pa_regressor, imbalance: over_sampling")
    found = mistake(sampling, "regression")
    assert found.column == 66 and "use hard_sampling or none" in found.headline()
    encoding = challenger("estimator: gaussian_nb, encoding: target")
    assert "use one_hot or ordinal" in mistake(encoding, "multiclass").headline()


def test_a_linear_baseline_learns_beside_challengers_and_elsewhere_when_it_is_asked_for() -> None:
    alone = read("learning: {baseline: linear}").learning
    beside = read(challenger("estimator: perceptron")).learning
    neither = read("learning: {baseline: none}").learning
    assert (alone.learns, alone.measured) == (beside.learns, beside.measured) == (True, True)
    assert (neither.learns, LearningSpec().learns) == (False, False)
    found = mistake("learning: {baseline: linear}", "ranking").headline()
    assert "no linear baseline unless `task` is binary" in found


def test_at_most_ten_challengers() -> None:
    many = ", ".join(f"c{i}: {{estimator: perceptron}}" for i in range(11))
    assert "at most 10 entries" in mistake(f"learning: {{challengers: {{{many}}}}}").headline()


def test_a_feature_that_only_a_challenger_names_is_remarked_on() -> None:
    spec = read(
        "features: {amount: {}}\n"
        "learning: {challengers: {c: {estimator: perceptron, features: [amont]}}}"
    )
    (remark,) = (each for each in lint(spec, today=0.0) if each.path[0] == "learning")
    assert remark.path == ("learning", "challengers", "c", "features", 0)
    assert remark.hint == "did you mean `amount`?"


def test_settings_are_said_in_words() -> None:
    spec = load_spec(EXAMPLE.read_bytes(), name="fraud.yaml")
    shown = {each.name: each.value for each in effective_settings(spec, model="fraud")}
    assert shown["learning.frozen"] == "from 2026-12-20, to 2027-01-03, reason holidays"
    assert shown["learning.promotion"].startswith("mode approval, min_labels 200, cooldown 60m")
    assert "online estimator logistic_regression" in shown["learning.challengers"]


def test_a_challenger_that_there_is_not_can_t_be_built() -> None:
    spec = read(challenger("estimator: perceptron"))
    with pytest.raises(PluginError, match="no challenger 'd'.*there are: c"):
        build(spec, "d")


def test_ignored_features_are_not_learned_from_unless_they_are_named() -> None:
    spec = read(
        "features: {id: {ignore: true}, age: {ignore: true}}\n"
        "learning: {challengers: {a: {estimator: perceptron},"
        " b: {estimator: perceptron, features: [id]}}}"
    )
    assert build(spec, "a").plan.never == ("age", "id")
    assert build(spec, "b").plan.never == ("age",)
