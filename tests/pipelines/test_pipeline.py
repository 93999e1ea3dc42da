"""Pipelines: River's own figures, and what happens when things go wrong."""

from __future__ import annotations

import heapq
import pickle
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from river import datasets, evaluate, forest, linear_model, metrics, naive_bayes, neighbors, tree
from river import preprocessing as scale

from streamgauge.pipelines.pipeline import Classified, Pipeline, Plan
from streamgauge.plugins import PluginError

Rows = list[tuple[dict[str, float], Any]]
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(dataset: Iterable[Any], n: int) -> Rows:
    """A stream's first rows with a number for each value, in the order of names."""
    return [({key: float(x[key]) for key in sorted(x)}, y) for x, y in islice(dataset, n)]


def delay_of(x: dict[str, Any], y: object) -> timedelta:
    """Between one and forty events, by the event itself: labels overtake each other."""
    return timedelta(
        seconds=1 + int(abs(sum(v for v in x.values() if isinstance(v, float))) * 7) % 40
    )


def by_river(stream: Rows, model: Any, metric: Any) -> list[float]:
    """River's figure after every label."""
    timed = [({**x, "at": START + timedelta(seconds=i)}, y) for i, (x, y) in enumerate(stream)]

    class WithoutTime:
        """The model, but for the time, which is no feature."""

        _supervised = True

        def predict_one(self, x: dict[str, Any]) -> Any:
            return model.predict_one({k: v for k, v in x.items() if k != "at"})

        def learn_one(self, x: dict[str, Any], y: Any) -> None:
            model.learn_one({k: v for k, v in x.items() if k != "at"}, y)

    class Works:
        """The metric, which need not look at the model's class."""

        requires_labels = True

        def works_with(self, _: object) -> bool:
            return True

        def update(self, *, y_true: Any, y_pred: Any) -> None:
            metric.update(y_true, y_pred)

    found = []
    for _ in evaluate.iter_progressive_val_score(
        timed, WithoutTime(), Works(), moment="at", delay=delay_of, step=1
    ):
        found.append(float(metric.get()))
    return found


def by_us(stream: Rows, plan: Plan, metric: Any) -> list[float]:
    """The same, prediction by prediction and label by label in the order of time."""
    pipeline, found = Pipeline(plan), []
    waiting: list[tuple[float, int]] = []
    answers: dict[int, Any] = {}
    last = len(stream)
    for i in range(last + 1):
        while waiting and (i == last or waiting[0][0] <= i):
            _, j = heapq.heappop(waiting)
            x, y = stream[j]
            answer = answers.pop(j)
            if isinstance(answer, Classified):
                metric.update(str(y).lower() if isinstance(y, bool) else y, answer.label)
            elif answer is not None:
                metric.update(y, answer)
            assert pipeline.learn(x, y) == ""
            found.append(float(metric.get()))
        if i < last:
            x, y = stream[i]
            answers[i] = pipeline.predict(x)
            heapq.heappush(waiting, (i + delay_of(x, y).total_seconds(), i))
    return found


STREAMS: dict[str, tuple[Callable[[], Rows], Callable[[], Any], Callable[[], Any], Plan]] = {
    "Phishing, logistic regression": (
        lambda: rows(datasets.Phishing(), 1250),
        lambda: scale.StandardScaler() | linear_model.LogisticRegression(l2=0.001),
        metrics.Accuracy,
        Plan(estimator="logistic_regression", task="binary", parameters={"l2": 0.001}),
    ),
    "Phishing, tree": (
        lambda: rows(datasets.Phishing(), 1250),
        lambda: tree.HoeffdingTreeClassifier(grace_period=50, max_depth=20),
        metrics.Accuracy,
        Plan(
            estimator="hoeffding_tree_classifier",
            task="binary",
            scaling="none",
            parameters={"grace_period": 50},
        ),
    ),
    "Phishing, forest": (
        lambda: rows(datasets.Phishing(), 200),
        lambda: forest.ARFClassifier(n_models=3, seed=5, max_depth=20),
        metrics.Accuracy,
        Plan(
            estimator="adaptive_random_forest_classifier",
            task="binary",
            scaling="none",
            parameters={"n_models": 3},
            seed=5,
        ),
    ),
    "Bananas, neighbours": (
        lambda: rows(datasets.Bananas(), 600),
        lambda: neighbors.KNNClassifier(engine=neighbors.LazySearch(window_size=200)),
        metrics.Accuracy,
        Plan(estimator="knn_classifier", task="binary", scaling="none"),
    ),
    "Bananas, perceptron": (
        lambda: rows(datasets.Bananas(), 3000),
        lambda: scale.MinMaxScaler() | linear_model.Perceptron(),
        metrics.Accuracy,
        Plan(estimator="perceptron", task="binary", scaling="min_max"),
    ),
    "ImageSegments, softmax": (
        lambda: rows(datasets.ImageSegments(), 1200),
        lambda: scale.StandardScaler() | linear_model.SoftmaxRegression(),
        metrics.Accuracy,
        Plan(estimator="softmax_regression", task="multiclass"),
    ),
    "ImageSegments, naive Bayes": (
        lambda: rows(datasets.ImageSegments(), 250),
        naive_bayes.GaussianNB,
        metrics.Accuracy,
        Plan(estimator="gaussian_nb", task="multiclass", scaling="none"),
    ),
    "TrumpApproval, linear regression": (
        lambda: rows(datasets.TrumpApproval(), 1001),
        lambda: scale.StandardScaler() | linear_model.LinearRegression(intercept_lr=0.1),
        metrics.MAE,
        Plan(
            estimator="linear_regression",
            task="regression",
            parameters={"intercept_learning_rate": 0.1},
        ),
    ),
    "TrumpApproval, tree": (
        lambda: rows(datasets.TrumpApproval(), 500),
        lambda: tree.HoeffdingTreeRegressor(max_depth=20),
        metrics.MAE,
        Plan(estimator="hoeffding_tree_regressor", task="regression", scaling="none"),
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_prequential_figures_are_river_s_own_at_every_label(name: str) -> None:
    # Given one of River's streams, with labels that come late and overtake each other
    stream, model, metric, plan = STREAMS[name]
    bare = model()
    measured = metric()
    expected = by_river(stream(), bare, _TextLabels(measured))
    # When the pipeline goes through it prediction by prediction, label by label
    found = by_us(stream(), plan, metric())
    # Then the figure is the same after every single label
    assert found == expected
    assert len(found) == len(stream())


class _TextLabels:
    """A metric of labels as texts: ours answer ``true`` where River's say True."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    def update(self, y_true: Any, y_pred: Any) -> None:
        plain = [str(y).lower() if isinstance(y, bool) else y for y in (y_true, y_pred)]
        self._metric.update(*plain)

    def get(self) -> float:
        return float(self._metric.get())


def test_dictionaries_in_another_order_make_no_other_figure() -> None:
    stream = rows(datasets.Phishing(), 300)
    turned = [({key: x[key] for key in reversed(x)}, y) for x, y in stream]
    plan = Plan(estimator="logistic_regression", task="binary")
    one, other = Pipeline(plan), Pipeline(plan)
    for (x, y), (back, _) in zip(stream, turned, strict=True):
        one.learn(x, y)
        other.learn(back, y)
    assert one.to_bytes() == other.to_bytes()


class TestFeatures:
    def test_what_is_missing_is_the_mean_and_what_vanishes_does_no_harm(self) -> None:
        # Given a regression of y = x, and a feature that comes only at first
        pipeline = Pipeline(
            Plan(
                estimator="linear_regression", task="regression", parameters={"learning_rate": 0.1}
            )
        )
        for i in range(400):
            event = {"x": float(i % 20)} | ({"gone": 1.0 + i % 3} if i < 100 else {})
            pipeline.learn(event, float(i % 20))
        # When it is asked without any
        answer = pipeline.predict({})
        # Then it answers as for the mean
        assert answer == pytest.approx(9.5, abs=1.0)

    def test_those_that_are_frozen_or_not_named_are_never_seen(self) -> None:
        plan = Plan(
            estimator="logistic_regression", task="binary", features=("a", "b"), never=("b",)
        )
        pipeline, alone = Pipeline(plan), Pipeline(plan)
        for i in range(50):
            pipeline.learn({"a": float(i), "b": float(i % 2), "c": "x"}, i % 2 == 0)
            alone.learn({"a": float(i)}, i % 2 == 0)
        event = {"a": 3.0}
        assert pipeline.predict(event | {"b": 1.0, "c": "x"}) == alone.predict(event)
        assert b"=x" not in pipeline.to_bytes()

    def test_ids_do_not_grow_it_without_bound(self) -> None:
        pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
        for i in range(300):
            pipeline.learn({"id": f"user-{i}"}, i % 2 == 0)
        size = pipeline.size()
        for i in range(300, 900):
            pipeline.learn({"id": f"user-{i}"}, i % 2 == 0)
        assert pipeline.size() - size < 20

    def test_names_do_not_grow_it_without_bound(self) -> None:
        pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
        for i in range(0, 1500, 50):
            pipeline.learn({f"name {j:04}": 1.0 for j in range(i, i + 50)}, i % 100 == 0)
        assert b"name 0999" in pipeline.to_bytes() and b"name 1000" not in pipeline.to_bytes()


class TestLabels:
    def test_a_third_class_of_two_is_refused(self) -> None:
        pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
        assert pipeline.learn({"a": 1.0}, "ham") == ""
        assert pipeline.learn({"a": 1.0}, "spam") == ""
        assert pipeline.learn({"a": 1.0}, "eggs") == "truth is no class, or one too many"
        answer = pipeline.predict({"a": 1.0})
        assert isinstance(answer, Classified) and set(answer.scores) == {"ham", "spam"}

    @pytest.mark.parametrize(
        ("labels", "said"),
        [((1, 0), {"1", "0"}), ((0.0,), {"1", "0"}), ((True,), {"true", "false"})],
    )
    def test_yes_is_yes_whichever_comes_first(
        self, labels: tuple[Any, ...], said: set[str]
    ) -> None:
        pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
        for label in labels:
            pipeline.learn({"a": 1.0}, label)
        answer = pipeline.predict({"a": 1.0})
        assert isinstance(answer, Classified) and set(answer.scores) == said

    def test_classes_have_an_end(self) -> None:
        pipeline = Pipeline(Plan(estimator="softmax_regression", task="multiclass"))
        told = [pipeline.learn({"a": 1.0}, f"class {i}") for i in range(102)]
        assert told[:100] == [""] * 100 and "too many" in told[100]

    def test_before_anything_was_learned_there_may_be_no_answer(self) -> None:
        assert (
            Pipeline(Plan(estimator="gaussian_nb", task="multiclass")).predict({"a": 1.0}) is None
        )


class TestBreaking:
    def diverging(self, **more: Any) -> Pipeline:
        pipeline = Pipeline(
            Plan(
                estimator="linear_regression",
                task="regression",
                scaling="none",
                parameters={"learning_rate": 1.0},
                **more,
            )
        )
        for i in range(9):
            pipeline.learn({"x": 1e149 + i * 1e148}, 1.0)
            pipeline.predict({"x": 1e149})
        return pipeline

    def test_one_that_diverges_is_broken_for_good_and_says_why(self) -> None:
        # Given a regression of values far too large, neither scaled nor clipped
        pipeline = self.diverging()
        # Then it answers nothing rather than NaN, and learns no more
        assert "it answered" in pipeline.broken
        assert pipeline.predict({"x": 1.0}) is None
        assert pipeline.learn({"x": 1.0}, 1.0) == pipeline.broken
        again = Pipeline.from_state(pickle.loads(pipeline.to_bytes()))
        assert again.broken == pipeline.broken

    def test_a_bounded_step_keeps_it_whole(self) -> None:
        pipeline = self.diverging(max_step=0.01)
        assert not pipeline.broken
        assert abs(float(pipeline.state()["estimator"].weights["x"])) <= 2.0

    def test_one_that_is_stopped_answers_on(self) -> None:
        pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
        pipeline.learn({"x": 1.0}, True)
        pipeline.stop("too large")
        assert pipeline.learn({"x": 1.0}, True) == "too large" == pipeline.halted
        assert pipeline.predict({"x": 1.0}) is not None


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        ("logistic_regression", "binary"),
        ("perceptron", "binary"),
        ("pa_classifier", "binary"),
        ("softmax_regression", "multiclass"),
        ("linear_regression", "regression"),
        ("pa_regressor", "regression"),
    ],
)
def test_no_example_moves_a_weight_further_than_allowed(estimator: str, task: str) -> None:
    # Given a linear model with a bound on its steps
    pipeline = Pipeline(Plan(estimator=estimator, task=task, max_step=0.003, scaling="none"))
    before: dict[Any, Any] = {}
    for i in range(60):
        truth: Any = 1e6 if task == "regression" else i % 2 == 0
        # When examples pull hard
        assert pipeline.learn({"a": 50.0 * (-1) ** i, "b": float(i)}, truth) == ""
        # Then no weight goes further
        after = weights(pipeline)
        for key, value in after.items():
            assert abs(value - before.get(key, 0.0)) <= 0.003 + 1e-12
        before = after
    assert any(before.values())


def weights(pipeline: Pipeline) -> dict[Any, float]:
    model = pipeline.state()["estimator"]
    flat: dict[Any, float] = {"intercept": float(getattr(model, "intercept", 0.0))}
    for key, value in model.weights.items():
        if isinstance(value, dict):
            flat |= {(key, inner): float(each) for inner, each in value.items()}
        else:
            flat[key] = float(value)
    return flat


def test_a_weight_counts_as_so_many_examples() -> None:
    plan = Plan(estimator="hoeffding_tree_classifier", task="binary", scaling="none")
    heavy, many = Pipeline(plan), Pipeline(plan)
    for label, weight in ((True, 3.0), (False, 1.0)):
        heavy.learn({"a": 1.0}, label, weight)
        for _ in range(int(weight)):
            many.learn({"a": 1.0}, label)
    assert heavy.predict({}) == many.predict({})


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"estimator": "logistic_regresion"}, "did you mean 'logistic_regression'?"),
        ({"estimator": "os.system"}, "there are: logistic_regression"),
        ({"estimator": "linear_regression"}, "is for regression; for binary there are: logistic"),
        ({"parameters": {"optimiser": 1}}, "no parameter 'optimiser'; did you mean 'optimizer'?"),
        ({"parameters": {"l2": "much"}}, "l2 is 'much', expected a number from 0 to 1000"),
        ({"parameters": {"l2": -1}}, "expected a number from 0 to 1000"),
        ({"parameters": {"l2": True}}, "expected a number"),
        ({"parameters": {"l1": 1, "l2": 1}}, "either l1 or l2"),
        ({"parameters": {"optimizer": "__import__"}}, "one of sgd, adam"),
        ({"scaling": "standart"}, "did you mean 'standard'?"),
        ({"encoding": "hash"}, "there are: one_hot, ordinal, target, none"),
        ({"imbalance": "over"}, "no imbalance is called 'over'"),
        ({"task": "ranking"}, "nothing learns ranking"),
        (
            {"estimator": "gaussian_nb", "task": "multiclass", "encoding": "target"},
            "encoding target is for binary and regression",
        ),
        (
            {"estimator": "pa_regressor", "task": "regression", "imbalance": "over_sampling"},
            "imbalance over_sampling is for classes",
        ),
    ],
)
def test_what_there_is_not_is_refused_in_words(plan: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        Pipeline(Plan(**{"estimator": "logistic_regression", "task": "binary", **plan}))
    assert said in str(caught.value)


def test_the_state_of_another_version_is_refused() -> None:
    state = Pipeline(Plan(estimator="gaussian_nb", task="binary")).state()
    with pytest.raises(ValueError, match="format 9"):
        Pipeline.from_state({**state, "format": 9})
