"""What a pipeline costs beside River's bare loop of the same model, paired in one run.

    python load_tests/learner_rate.py [--rounds 7]

Each round learns the same examples with both, one after the other, in turns that alternate. The
last line holds the ratio of times, the median over rounds; the budget is 1.30.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from river import datasets, linear_model, naive_bayes, preprocessing, tree

from streamgauge.pipelines.pipeline import Pipeline, Plan

#: Per case: the plan, River's own model, examples. Trees are slow enough for fewer.
CASES: dict[str, tuple[dict[str, Any], Callable[[], Any], int]] = {
    "standard | logistic_regression": (
        {"estimator": "logistic_regression"},
        lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
        1250,
    ),
    "the same, clipped": (
        {"estimator": "logistic_regression", "clip": 6.0},
        lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
        1250,
    ),
    "min_max | logistic_regression": (
        {"estimator": "logistic_regression", "scaling": "min_max"},
        lambda: preprocessing.MinMaxScaler() | linear_model.LogisticRegression(),
        1250,
    ),
    "logistic_regression, not scaled": (
        {"estimator": "logistic_regression", "scaling": "none"},
        linear_model.LogisticRegression,
        1250,
    ),
    "gaussian_nb": (
        {"estimator": "gaussian_nb", "scaling": "none"},
        naive_bayes.GaussianNB,
        600,
    ),
    "hoeffding_tree_classifier": (
        {"estimator": "hoeffding_tree_classifier", "scaling": "none"},
        tree.HoeffdingTreeClassifier,
        600,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    every = [({k: float(v) for k, v in x.items()}, y) for x, y in datasets.Phishing()]
    told = []
    for name, (plan, bare, count) in CASES.items():
        rows = every[:count]
        ratios, ours_us, bare_us = [], [], []
        for turn in range(rounds):
            timed: dict[str, float] = {}
            for which in ("ours", "bare") if turn % 2 else ("bare", "ours"):
                if which == "ours":
                    timed[which] = _ours(Pipeline(Plan(task="binary", **plan)), rows)
                else:
                    timed[which] = _bare(bare(), rows)
            ratios.append(timed["ours"] / timed["bare"])
            ours_us.append(timed["ours"] / count * 1e6)
            bare_us.append(timed["bare"] / count * 1e6)
        ratio = statistics.median(ratios)
        told.append(ratio)
        print(
            f"{name:34s} bare {min(bare_us):7.1f} us  ours {min(ours_us):7.1f} us  "
            f"ratio {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )
    print(f"learner_rate: ratio={told[0]:.2f} worst={max(told):.2f} budget=1.30")


def _ours(pipeline: Pipeline, rows: list[Any]) -> float:
    start = time.perf_counter()
    for x, y in rows:
        pipeline.predict(x)
        pipeline.learn(x, y)
    taken = time.perf_counter() - start
    assert not pipeline.halted
    return taken


def _bare(model: Any, rows: list[Any]) -> float:
    start = time.perf_counter()
    for x, y in rows:
        model.predict_one(x)
        model.learn_one(x, y)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
