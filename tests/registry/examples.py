"""Models that have learned from seeded streams, and what is registered of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

from river import (
    anomaly,
    compose,
    dummy,
    ensemble,
    forest,
    imblearn,
    linear_model,
    naive_bayes,
    neighbors,
    optim,
    preprocessing,
    stats,
    tree,
)

from streamgauge.registry.dump import dump
from streamgauge.registry.envelope import seal
from streamgauge.registry.header import ModelHeader, libraries

KEY = b"a key for tests, 32 bytes or more"

Row = dict[str, Any]


def _mixed() -> Any:
    numbers = compose.SelectType(float) | preprocessing.StandardScaler()
    words = compose.SelectType(str) | preprocessing.OneHotEncoder()
    return (numbers + words) | linear_model.LogisticRegression()


def _scaled(last: Any) -> Any:
    return compose.SelectType(float) | preprocessing.StandardScaler() | last


#: By name: a fresh model, and what it learns.
MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "scaled logistic": (lambda: _scaled(linear_model.LogisticRegression()), "classes"),
    "scaled linear": (
        lambda: _scaled(linear_model.LinearRegression(optimizer=optim.Adam(), l2=0.1)),
        "numbers",
    ),
    "mixed": (_mixed, "classes"),
    "softmax": (lambda: _scaled(linear_model.SoftmaxRegression()), "words"),
    "passive-aggressive": (lambda: _scaled(linear_model.PAClassifier()), "classes"),
    "bayesian": (
        lambda: (
            compose.SelectType(float)
            | preprocessing.RobustScaler()
            | linear_model.BayesianLinearRegression()
        ),
        "numbers",
    ),
    "gaussian nb": (lambda: compose.SelectType(float) | naive_bayes.GaussianNB(), "words"),
    "knn": (
        lambda: (
            compose.SelectType(float)
            | neighbors.KNNClassifier(n_neighbors=3, engine=neighbors.LazySearch(window_size=100))
        ),
        "words",
    ),
    "hoeffding": (lambda: tree.HoeffdingTreeClassifier(grace_period=40), "words"),
    "hoeffding regressor": (
        lambda: compose.SelectType(float) | tree.HoeffdingTreeRegressor(grace_period=40),
        "numbers",
    ),
    "adaptive hoeffding": (
        lambda: tree.HoeffdingAdaptiveTreeClassifier(grace_period=40, seed=1),
        "classes",
    ),
    "adaptive hoeffding regressor": (
        lambda: (
            compose.SelectType(float) | tree.HoeffdingAdaptiveTreeRegressor(grace_period=40, seed=1)
        ),
        "numbers",
    ),
    "arf": (lambda: forest.ARFClassifier(n_models=3, seed=1), "words"),
    "arf regressor": (
        lambda: compose.SelectType(float) | forest.ARFRegressor(n_models=2, seed=1),
        "numbers",
    ),
    "amf": (
        lambda: compose.SelectType(float) | forest.AMFClassifier(n_estimators=2, seed=1),
        "classes",
    ),
    "bagging": (
        lambda: (
            compose.SelectType(float)
            | ensemble.LeveragingBaggingClassifier(
                linear_model.LogisticRegression(), n_models=3, seed=1
            )
        ),
        "classes",
    ),
    "boosting": (
        lambda: ensemble.AdaBoostClassifier(
            tree.HoeffdingTreeClassifier(grace_period=40), n_models=2, seed=1
        ),
        "classes",
    ),
    "sampled": (
        lambda: (
            compose.SelectType(float)
            | imblearn.RandomUnderSampler(
                linear_model.LogisticRegression(), desired_dist={True: 0.5, False: 0.5}, seed=1
            )
        ),
        "classes",
    ),
    "target scaled": (
        lambda: (
            compose.SelectType(float)
            | preprocessing.TargetStandardScaler(linear_model.LinearRegression())
        ),
        "numbers",
    ),
    "half-space trees": (
        lambda: (
            compose.SelectType(float)
            | preprocessing.MinMaxScaler()
            | anomaly.HalfSpaceTrees(seed=1, n_trees=3, height=4)
        ),
        "nothing",
    ),
    "majority": (lambda: dummy.PriorClassifier(), "words"),
    "mean": (lambda: dummy.StatisticRegressor(stats.Mean()), "numbers"),
}


def rows(count: int, *, start: int = 0) -> Iterator[tuple[Row, float]]:
    """Rows of a stream, the same for the same place in it; every text is an object of its own."""
    for place in range(start, start + count):
        rng = random.Random(place)
        row: Row = {f"x{number}": rng.gauss(0, 1) for number in range(4)}
        row["colour"] = "".join(rng.choice(["red", "green", "blue"]))
        yield row, row["x0"] * 2 + row["x1"] + (row["colour"] == "red")


def learn(model: Any, task: str, count: int, *, start: int = 0) -> Any:
    for row, target in rows(count, start=start):
        if task == "nothing":
            model.learn_one(row)
        else:
            model.learn_one(row, _truth(target, task))
    return model


def _truth(target: float, task: str) -> Any:
    if task == "numbers":
        return target
    return target > 0 if task == "classes" else "".join("yes" if target > 0 else "no")


def learned(name: str = "scaled logistic", count: int = 200) -> Any:
    make, task = MODELS[name]
    return learn(make(), task, count)


def header(payload: bytes, *, model: str = "fraud", version: int = 1, **more: Any) -> ModelHeader:
    facts: dict[str, Any] = {"pipeline": "online", "created_at": 1_700_000_000.0, **more}
    return ModelHeader(
        model=model,
        version=version,
        libraries=facts.pop("libraries", libraries()),
        payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        **facts,
    )


def envelope(
    payload: bytes | None = None,
    *,
    model: str = "fraud",
    version: int = 1,
    key: bytes = KEY,
    **more: Any,
) -> bytes:
    content = dump(learned(count=20)) if payload is None else payload
    return seal(header(content, model=model, version=version, **more), content, key=key)
