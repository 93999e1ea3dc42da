"""Pipelines of a spec in the registry: they go on as if they had never left, and hold no more."""

from __future__ import annotations

import itertools
import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from river import dummy

from streamgauge.pipelines.encoding import ENCODINGS
from streamgauge.pipelines.estimators import ESTIMATORS
from streamgauge.pipelines.imbalance import IMBALANCES
from streamgauge.pipelines.pipeline import Pipeline, Plan, misfit
from streamgauge.pipelines.scaling import SCALINGS
from streamgauge.registry.dump import dump
from streamgauge.registry.envelope import unseal
from streamgauge.registry.load import load
from streamgauge.registry.publish import publish, revived
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.registry.self_test import answer
from tests.pipelines.streams import SLOW, Event, events, truth
from tests.registry.examples import KEY, envelope
from tests.registry.test_load import _gadgets, named, text


def learn(pipeline: Pipeline, count: int, *, seed: int = 3) -> Pipeline:
    for event in events(count, seed=seed):
        pipeline.learn(event, truth(event, pipeline.plan.task))
    return pipeline


def goes_on(plan: Plan, count: int) -> None:
    # Given a pipeline in the middle of its stream, and the same read back
    whole = learn(Pipeline(plan), count)
    stored = load(dump(whole))
    assert type(stored) is Pipeline and stored.plan == whole.plan
    assert dump(stored) == dump(whole)
    # When both answer and learn on
    for event in events(10, seed=9):
        assert stored.predict(event) == whole.predict(event)
        assert answer(stored, event) == answer(whole, event)
    learn(stored, count // 2, seed=4)
    learn(whole, count // 2, seed=4)
    # Then nobody can tell which of them left
    assert dump(stored) == dump(whole) and stored.learned == count + count // 2
    assert not whole.halted


@pytest.mark.parametrize(
    ("name", "task"), [(n, task) for n, each in ESTIMATORS.items() for task in each.tasks]
)
def test_every_estimator_goes_on(name: str, task: str) -> None:
    scaling = "min_max" if name == "knn_classifier" else "standard"
    plan = Plan(estimator=name, task=task, scaling=scaling, seed=7, clip=6.0)
    goes_on(plan, 16 if name in SLOW else 60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task"), [(n, task) for n, each in ESTIMATORS.items() for task in each.tasks]
)
def test_so_does_one_whose_trees_have_grown(name: str, task: str) -> None:
    goes_on(Plan(estimator=name, task=task, seed=7), 800)


PREPARATIONS = [
    (task, *words)
    for task in ("binary", "multiclass", "regression")
    for words in itertools.product(SCALINGS, ENCODINGS, IMBALANCES)
    if not misfit(task, words[1], words[2])
]


@pytest.mark.parametrize(("task", "scaling", "encoding", "imbalance"), PREPARATIONS)
def test_every_preparation_goes_on(task: str, scaling: str, encoding: str, imbalance: str) -> None:
    name = {
        "binary": "logistic_regression",
        "multiclass": "softmax_regression",
        "regression": "linear_regression",
    }[task]
    plan = Plan(
        estimator=name,
        task=task,
        scaling=scaling,
        encoding=encoding,
        imbalance=imbalance,
        desired={"true": 0.4} if task == "multiclass" and imbalance != "hard_sampling" else {},
        never=("loss",),
        kinds={"number 2": "numeric"},
        max_step=0.05,
        clip=3.0,
    )
    goes_on(plan, 60)


def test_the_smallest_and_the_halted_come_back() -> None:
    fresh = Pipeline(Plan(estimator="hoeffding_tree_classifier", task="multiclass"))
    assert dump(load(dump(fresh))) == dump(fresh)
    fresh.stop("too large")
    assert load(dump(fresh)).stopped == "too large"


def put(registry: ModelRegistry, pipeline: Pipeline, rows: list[Event], **more: Any) -> int:
    return publish(
        registry,
        pipeline,
        key=KEY,
        model="fraud",
        pipeline="online",
        created_at=1.0,
        actor="learner",
        rows=rows,
        **more,
    ).version


@pytest.mark.parametrize("name", ["logistic_regression", "adaptive_random_forest_classifier"])
def test_a_pipeline_is_published_tested_and_untouched(registry: ModelRegistry, name: str) -> None:
    # Given a pipeline that has learned, and rows that it saw
    pipeline = learn(Pipeline(Plan(estimator=name, task="binary")), 30)
    before = pipeline.to_bytes()
    # When it is published, twice
    rows = [{**event, "tags": None} for event in events(25, seed=8)]
    assert put(registry, pipeline, rows) == put(registry, pipeline, rows) == 1
    # Then it is as it was, and what comes back is a pipeline with the same answers
    assert pipeline.to_bytes() == before
    artefact = registry.fetch("fraud", 1)
    assert len(artefact.header.trials) == 20
    found = revived(artefact)
    assert isinstance(found, Pipeline) and dump(found) == dump(pipeline)


def test_a_broken_one_is_not_published(registry: ModelRegistry) -> None:
    pipeline = learn(Pipeline(Plan(estimator="linear_regression", task="regression")), 10)
    pipeline.broken = "it answered nan"
    with pytest.raises(Rejected, match="it answered nan") as caught:
        put(registry, pipeline, [{"number 0": 1.0}])
    assert caught.value.reason == "self_test" and registry.models() == []


PIPELINE = named("streamgauge.registry.rebuild", "pipeline")
LOGISTIC = {"estimator": "logistic_regression", "task": "binary"}


def forged(**changes: object) -> bytes:
    """A call of our rebuilding with a state in which something was changed."""
    state = learn(Pipeline(Plan(**LOGISTIC)), 5).state() | changes  # type: ignore[arg-type]
    return b"\x80\x05" + PIPELINE + b"(" + dump(state)[2:-1] + b"tR."


def plan(**changes: object) -> str:
    return json.dumps(asdict(Plan(**LOGISTIC)) | changes)  # type: ignore[arg-type]


FORGED: dict[str, tuple[bytes, str]] = {
    "another estimator than planned": (
        forged(estimator=dummy.PriorClassifier()),
        "holds a PriorClassifier, not a logistic_regression",
    ),
    "no estimator": (forged(estimator=None), "holds a NoneType"),
    "a plan of a forbidden estimator": (forged(plan=plan(estimator="os.system")), "no estimator"),
    "a plan with code": (forged(plan=plan(parameters={"loss": "os.system"})), "loss"),
    "a plan with more": (forged(plan=plan(more=1)), "unexpected keyword"),
    "a scaling that there is not": (forged(plan=plan(scaling="eval")), "no scaling"),
    "a plan that is no text": (forged(plan={"estimator": "x"}), "JSON object must be"),
    "another format": (forged(format=99), "start afresh"),
    "inputs of another shape": (forged(inputs=[1]), "not enough values"),
    "no state": (b"\x80\x05" + PIPELINE + b"(K\x01tR.", "not from a int"),
    "something that has a get": (
        b"\x80\x05" + PIPELINE + b"(" + named("river.compose.pipeline", "Pipeline") + b")\x81tR.",
        "not from a Pipeline",
    ),
    "two states": (b"\x80\x05" + PIPELINE + b"(}}tR.", "positional argument"),
    "an empty pipeline, to be filled at will": (
        b"\x80\x05" + named("streamgauge.pipelines.pipeline", "Pipeline") + b")\x81}b.",
        "not among what models may hold",
    ),
    "a way around": (
        b"\x80\x05" + named("streamgauge.registry.rebuild", "Pipeline.from_state") + b"(}tR.",
        "not among what models may hold",
    ),
}


@pytest.mark.parametrize("attack", FORGED)
def test_a_forged_state_is_refused_by_the_second_line(attack: str) -> None:
    payload, words = FORGED[attack]
    with pytest.raises(Rejected, match=words) as caught:
        load(payload)
    assert caught.value.reason == "payload"


def test_the_forger_could_have_written_what_is_right() -> None:
    # Else the refusals above would show nothing
    assert isinstance(load(forged()), Pipeline)


@pytest.mark.parametrize("name", ["os.system", "eval", "getattr", "FuncTransformer", "partial"])
def test_no_gadget_runs_inside_a_pipelines_state(name: str, tmp_path: Path) -> None:
    # Given a state whose estimator would leave a file behind, signed with our own key
    canary = tmp_path / "ran"
    gadget = pickle.dumps(_gadgets(str(canary))[name], 5)
    # Without the head, the frame and the end: in the middle of our format.
    state = b"}(" + text("estimator") + gadget[11:-1] + b"u"
    payload = b"\x80\x05" + PIPELINE + b"(" + state + b"tR."
    # When it is opened, then it is refused, and nothing ran
    with pytest.raises(Rejected) as caught:
        revived(unseal(envelope(payload), key=KEY, model="fraud"))
    assert caught.value.reason == "payload" and not canary.exists()


def test_a_pipeline_of_somebody_without_the_key() -> None:
    payload = dump(learn(Pipeline(Plan(**LOGISTIC)), 5))  # type: ignore[arg-type]
    for key in (b"theirs", b"another key for tests, 32 bytes!"):
        with pytest.raises(Rejected) as caught:
            unseal(envelope(payload, key=key), key=KEY, model="fraud")
        assert caught.value.reason == "signature"
    with pytest.raises(Rejected):
        unseal(payload, key=KEY, model="fraud")
