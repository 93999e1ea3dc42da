"""The entries of the allow-list: River's estimators, their tasks, the parameters they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from river import ensemble, forest, linear_model, naive_bayes, neighbors, optim, tree

from streamgauge.pipelines.parameters import Parameter, Real, Switch, Whole, Word

Task = Literal["binary", "multiclass", "regression"]
_BINARY: tuple[Task, ...] = ("binary",)
_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_NUMBERS: tuple[Task, ...] = ("regression",)

#: River's trees trim themselves to ``max_size`` by the sizes of Python objects. A restored dict has
#: another size than one that grew: the same log would give two trees. The size guard bounds them.
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Estimator:
    """One entry of the allow-list.

    ``linear``: it has weights, which ``max_step`` bounds. ``sparse``: zeros may be left out of its
    input. ``weighted``: it takes a weight for each example; others learn every example once.
    """

    name: str
    tasks: tuple[Task, ...]
    parameters: Mapping[str, Parameter]
    make: Callable[[Mapping[str, Any], int], Any]
    linear: bool = False
    sparse: bool = False
    weighted: bool = False


_OPTIMIZERS: dict[str, Callable[[float], Any]] = {
    "sgd": optim.SGD,
    "adam": optim.Adam,
    "ada_grad": optim.AdaGrad,
    "rms_prop": optim.RMSProp,
}
_RATE = Real(0.01, 1e-6, 10.0)
_L2 = Real(0.0, 0.0, 1000.0)
_GLM: dict[str, Parameter] = {
    "optimizer": Word(tuple(_OPTIMIZERS)),
    "learning_rate": _RATE,
    "intercept_learning_rate": _RATE,
    "l1": Real(0.0, 0.0, 1000.0),
    "l2": _L2,
    "clip_gradient": Real(1e12, 1e-6, 1e12),
}
_PA: dict[str, Parameter] = {"c": Real(1.0, 1e-6, 1e6), "mode": Whole(1, 0, 2)}
_TREE: dict[str, Parameter] = {
    "grace_period": Whole(200, 10, 100_000),
    "max_depth": Whole(20, 1, 50),
    "delta": Real(1e-7, 1e-12, 0.5),
    "tau": Real(0.05, 0.0, 1.0),
}
_CLASS_LEAF = Word(("nba", "nb", "mc"))
_NUMBER_LEAF = Word(("adaptive", "mean", "model"))
_CLASS_TREE = _TREE | {"leaf_prediction": _CLASS_LEAF}
_NUMBER_TREE = _TREE | {"leaf_prediction": _NUMBER_LEAF}
_FOREST: dict[str, Parameter] = {
    "n_models": Whole(10, 1, 100),
    "lambda_value": Whole(6, 1, 20),
    "grace_period": Whole(50, 10, 100_000),
    "max_depth": Whole(20, 1, 50),
    "delta": Real(0.01, 1e-12, 0.5),
    "tau": Real(0.05, 0.0, 1.0),
}
_MONDRIAN: dict[str, Parameter] = {
    "n_estimators": Whole(10, 1, 100),
    "step": Real(1.0, 1e-6, 1000.0),
    "use_aggregation": Switch(True),
}
_NEAREST: dict[str, Parameter] = {
    "n_neighbors": Whole(5, 1, 100),
    "window_size": Whole(200, 10, 5000),
}


def _glm(make: Callable[..., Any]) -> Callable[[Mapping[str, Any], int], Any]:
    def made(p: Mapping[str, Any], seed: int) -> Any:
        return make(
            optimizer=_OPTIMIZERS[p["optimizer"]](p["learning_rate"]),
            intercept_lr=p["intercept_learning_rate"],
            l1=p["l1"],
            l2=p["l2"],
            clip_gradient=p["clip_gradient"],
        )

    return made


def _grown(make: Callable[..., Any], *, seeded: bool) -> Callable[[Mapping[str, Any], int], Any]:
    def made(p: Mapping[str, Any], seed: int) -> Any:
        more = {"seed": seed} if seeded else {}
        return make(**p, **more, memory_estimate_period=_NEVER)

    return made


def _mondrian(make: Callable[..., Any]) -> Callable[[Mapping[str, Any], int], Any]:
    return lambda p, seed: make(**p, seed=seed)


def _nearest(make: Callable[..., Any]) -> Callable[[Mapping[str, Any], int], Any]:
    def made(p: Mapping[str, Any], seed: int) -> Any:
        rest = {key: value for key, value in p.items() if key != "window_size"}
        return make(engine=neighbors.LazySearch(window_size=p["window_size"]), **rest)

    return made


def _softmax(p: Mapping[str, Any], seed: int) -> Any:
    return linear_model.SoftmaxRegression(optimizer=optim.SGD(p["learning_rate"]), l2=p["l2"])


def _pa_classifier(p: Mapping[str, Any], seed: int) -> Any:
    return linear_model.PAClassifier(C=p["c"], mode=p["mode"])


def _pa_regressor(p: Mapping[str, Any], seed: int) -> Any:
    return linear_model.PARegressor(C=p["c"], mode=p["mode"], eps=p["eps"])


def _leveraging(p: Mapping[str, Any], seed: int) -> Any:
    if p["base"] == "hoeffding_tree":
        base = tree.HoeffdingTreeClassifier(memory_estimate_period=_NEVER)
    else:
        base = naive_bayes.GaussianNB()
    return ensemble.LeveragingBaggingClassifier(base, n_models=p["n_models"], w=p["w"], seed=seed)


ENTRIES = (
    Estimator(
        "logistic_regression",
        _BINARY,
        _GLM,
        _glm(linear_model.LogisticRegression),
        linear=True,
        sparse=True,
        weighted=True,
    ),
    Estimator(
        "softmax_regression",
        _CLASSES,
        {"learning_rate": _RATE, "l2": _L2},
        _softmax,
        linear=True,
        sparse=True,
    ),
    Estimator(
        "perceptron",
        _BINARY,
        {"l2": _L2},
        lambda p, seed: linear_model.Perceptron(l2=p["l2"]),
        linear=True,
        sparse=True,
        weighted=True,
    ),
    Estimator("pa_classifier", _BINARY, _PA, _pa_classifier, linear=True, sparse=True),
    Estimator(
        "linear_regression",
        _NUMBERS,
        _GLM,
        _glm(linear_model.LinearRegression),
        linear=True,
        sparse=True,
        weighted=True,
    ),
    Estimator(
        "pa_regressor",
        _NUMBERS,
        _PA | {"eps": Real(0.1, 0.0, 1e6)},
        _pa_regressor,
        linear=True,
        sparse=True,
    ),
    Estimator("gaussian_nb", _CLASSES, {}, lambda p, seed: naive_bayes.GaussianNB()),
    Estimator(
        "bernoulli_nb",
        _CLASSES,
        {"alpha": Real(1.0, 1e-6, 1000.0), "true_threshold": Real(0.0, -1e12, 1e12)},
        lambda p, seed: naive_bayes.BernoulliNB(**p),
    ),
    Estimator(
        "hoeffding_tree_classifier",
        _CLASSES,
        _CLASS_TREE,
        _grown(tree.HoeffdingTreeClassifier, seeded=False),
        weighted=True,
    ),
    Estimator(
        "hoeffding_tree_regressor",
        _NUMBERS,
        _NUMBER_TREE,
        _grown(tree.HoeffdingTreeRegressor, seeded=False),
        weighted=True,
    ),
    Estimator(
        "hoeffding_adaptive_tree_classifier",
        _CLASSES,
        _CLASS_TREE,
        _grown(tree.HoeffdingAdaptiveTreeClassifier, seeded=True),
        weighted=True,
    ),
    Estimator(
        "hoeffding_adaptive_tree_regressor",
        _NUMBERS,
        _NUMBER_TREE,
        _grown(tree.HoeffdingAdaptiveTreeRegressor, seeded=True),
        weighted=True,
    ),
    Estimator(
        "adaptive_random_forest_classifier",
        _CLASSES,
        _FOREST | {"leaf_prediction": _CLASS_LEAF},
        _grown(forest.ARFClassifier, seeded=True),
    ),
    Estimator(
        "adaptive_random_forest_regressor",
        _NUMBERS,
        _FOREST | {"leaf_prediction": _NUMBER_LEAF},
        _grown(forest.ARFRegressor, seeded=True),
    ),
    Estimator(
        "mondrian_forest_classifier",
        _CLASSES,
        _MONDRIAN | {"dirichlet": Real(0.5, 1e-6, 100.0)},
        _mondrian(forest.AMFClassifier),
    ),
    Estimator("mondrian_forest_regressor", _NUMBERS, _MONDRIAN, _mondrian(forest.AMFRegressor)),
    Estimator(
        "knn_classifier",
        _CLASSES,
        _NEAREST | {"weighted": Switch(True)},
        _nearest(neighbors.KNNClassifier),
    ),
    Estimator(
        "knn_regressor",
        _NUMBERS,
        _NEAREST | {"aggregation_method": Word(("mean", "median", "weighted_mean"))},
        _nearest(neighbors.KNNRegressor),
    ),
    Estimator(
        "leveraging_bagging_classifier",
        _CLASSES,
        {
            "base": Word(("hoeffding_tree", "gaussian_nb")),
            "n_models": Whole(10, 1, 100),
            "w": Real(6.0, 0.01, 100.0),
        },
        _leveraging,
    ),
)
