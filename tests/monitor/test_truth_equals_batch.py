"""Settled figures are those that scikit-learn finds for the same ids, however labels came."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.monitor.truth.performance import Performance
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.streams import START, monitor, prediction
from tests.monitor.truths import SPEC, label

CLASSES = ["ash", "birch", "cedar"]
SPELLS = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])


@dataclass(frozen=True)
class Fact:
    """What one label says: a truth (None withdraws it), and what else it carries."""

    truth: Any
    weight: float
    scores: dict[str, float] | None = None


@dataclass(frozen=True)
class Story:
    """A log in some order, how it is cut, and what is known of each id when all of it came."""

    log: list[LogRecord]
    cuts: list[int]
    outputs: list[Any]
    facts: dict[int, Fact]
    labels: int
    #: Labels of ids that nobody predicted.
    unknown: int


def story(
    rng: np.random.Generator,
    output: Callable[[np.random.Generator], Any],
    truth: Callable[[np.random.Generator], Any],
    scores: Callable[[np.random.Generator], dict[str, float] | None] = lambda _: None,
) -> Story:
    """Predictions at 20 a second; labels up to four seconds early and ten late, in any number."""
    n = int(rng.integers(5, 160))
    outputs = [output(rng) for _ in range(n)]
    placed = [
        (
            i / 20,
            prediction(
                i, START + i / 20, {"x": 1.0}, output=outputs[i], segment={"site": "ab"[i % 2]}
            ),
        )
        for i in range(n)
    ]
    facts: dict[int, Fact] = {}
    labels = unknown = 0
    rarely = float(rng.choice([0.0, 0.1, 0.5]))
    for i in range(n + 3):
        if rng.random() < 0.1:
            continue
        best = -1
        for revision in range(1 + int(rng.random() < rarely) + int(rng.random() < rarely)):
            said = truth(rng) if revision == 0 or rng.random() < 0.7 else None
            fact = Fact(said, float(rng.choice([1.0, 0.1, 2.5])), scores(rng) if said else None)
            if said is not None and fact.scores is not None:
                fact = Fact("", fact.weight, fact.scores)
            event: dict[str, Any] = {"revision": revision, "weight": fact.weight}
            if fact.scores is not None:
                event["scores"] = fact.scores
            for _ in range(1 + int(rng.random() < rarely)):
                at = i / 20 + float(rng.uniform(-4.0, 10.0))
                placed.append(
                    (
                        at,
                        label(
                            labels,
                            START + at,
                            i,
                            None if said == "" or scores(rng) else said,
                            **event,
                        ),
                    )
                )
                labels += 1
                unknown += i >= n
            if revision > best and i < n:
                best, facts[i] = revision, fact
    log = [record for _, record in sorted(placed, key=lambda pair: pair[0])]
    cuts = rng.integers(1, len(log), size=int(rng.integers(0, 6)))
    return Story(log, sorted(set(cuts.tolist())), outputs, facts, labels, unknown)


def settled(told: Story, **spec: Any) -> ModelTruth:
    """What a monitor knows when all is settled, that was restarted at every cut."""
    stored: dict[str, bytes] = {}
    document = {**SPEC, "segments": {"site": {}}, **spec}
    configuration = Configuration(ModelSpec.from_document(document), number=1)
    edges = [0, *told.cuts, len(told.log)]
    made: PartitionMonitor = monitor(configuration)
    for start, end in zip(edges, edges[1:], strict=False):
        made = monitor(configuration)
        made.restore(stored)
        made.process(told.log[start:end])
        for name, blob in made.dirty().blobs.items():
            stored.pop(name, None)
            stored |= {name: blob} if blob else {}
    made.advance(START + 1000.0)
    truth = made._models["fraud"].truth.truth
    counts = truth.join.counts
    assert counts.settled == counts.predictions == len(told.outputs)
    assert counts.settled_labelled == len(told.facts)
    assert counts.labels == told.labels
    kept = counts.joined + counts.duplicates + counts.corrections + counts.outdated
    assert kept + truth.join.early.orphans == told.labels
    assert truth.join.early.orphans == told.unknown
    return truth


def parts_of(truth: ModelTruth, told: Story) -> list[tuple[Performance, list[int]]]:
    """The totals, and those of both slices, with the ids that are counted in each."""
    known = [i for i in sorted(told.facts) if told.facts[i].truth is not None]
    if not known:
        return []
    (series,) = truth.series.values()
    found = [(series.total, known)]
    for place, site in enumerate("ab"):
        ids = [i for i in known if i % 2 == place]
        if ids:
            found.append((series.slice_totals["site", site], ids))
    assert series.total.predictions == len(told.outputs)
    return found


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def decisions(figures: dict[str, float], said: Any, true: Any, weight: Any, **of: Any) -> None:
    assert figures["accuracy"] == close(metrics.accuracy_score(true, said, sample_weight=weight))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert figures["balanced_accuracy"] == close(
            metrics.balanced_accuracy_score(true, said, sample_weight=weight)
        )
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        true, said, sample_weight=weight, zero_division=0, **of
    )
    assert (figures["precision"], figures["recall"], figures["f1"]) == (
        close(precision),
        close(recall),
        close(f1),
    )


@given(seed=st.integers(0, 2**32), bare=st.booleans())
@SPELLS
def test_binary(seed: int, bare: bool) -> None:
    def output(rng: np.random.Generator) -> Any:
        score = float(rng.choice([0.25, 0.5, rng.random()]))
        if bare:
            return score
        return {"label": "bad" if score >= 0.5 else "good", "score": max(score, 1 - score)}

    told = story(
        np.random.default_rng(seed),
        output,
        lambda rng: bool(rng.random() < 0.4) if bare else str(rng.choice(["bad", "good"])),
    )
    truth = settled(told)
    for performance, ids in parts_of(truth, told):
        figures = performance.get("binary")
        score = np.array(
            [
                out if bare else (out["score"] if out["label"] == "bad" else 1.0 - out["score"])
                for out in (told.outputs[i] for i in ids)
            ]
        )
        said = score >= 0.5 if bare else np.array([told.outputs[i]["label"] == "bad" for i in ids])
        true = np.array([told.facts[i].truth in (True, "bad") for i in ids])
        weight = np.array([told.facts[i].weight for i in ids])
        decisions(figures, said, true, weight, average="binary", pos_label=True)
        pairs = performance.parts["confusion"].pairs()
        for one in (0, 1):
            for other in (0, 1):
                rows = (said == one) & (true == other)
                assert pairs.get((one, other), 0.0) == close(float(weight[rows].sum()))
        assert figures["log_loss"] == close(
            metrics.log_loss(true, score, sample_weight=weight, labels=[False, True])
        )
        assert figures["brier"] == close(
            metrics.brier_score_loss(true, score, sample_weight=weight)
        )
        if len(set(true.tolist())) == 2:
            area = metrics.roc_auc_score(true, score, sample_weight=weight)
            assert abs(figures["roc_auc"] - area) <= figures["roc_auc_error"] + 1e-9
            area = metrics.average_precision_score(true, score, sample_weight=weight)
            assert abs(figures["pr_auc"] - area) <= figures["pr_auc_error"] + 1e-9
        else:
            assert "roc_auc" not in figures


@given(seed=st.integers(0, 2**32))
@SPELLS
def test_multiclass(seed: int) -> None:
    def output(rng: np.random.Generator) -> Any:
        first, second, _ = rng.dirichlet([1.0, 1.0, 1.0]).tolist()
        shares = [first, second, 1.0 - (first + second)]
        scores = dict(zip(CLASSES, shares, strict=True))
        best = max(scores, key=scores.__getitem__)
        order = rng.permutation(CLASSES).tolist()
        return {"label": best, "score": scores[best], "scores": {n: scores[n] for n in order}}

    told = story(np.random.default_rng(seed), output, lambda rng: str(rng.choice(CLASSES)))
    truth = settled(told, task="multiclass")
    for performance, ids in parts_of(truth, told):
        figures = performance.get("multiclass")
        said = np.array([told.outputs[i]["label"] for i in ids])
        true = np.array([told.facts[i].truth for i in ids])
        weight = np.array([told.facts[i].weight for i in ids])
        decisions(figures, said, true, weight, average="macro")
        scores = np.array([[told.outputs[i]["scores"][name] for name in CLASSES] for i in ids])
        assert figures["log_loss"] == close(
            metrics.log_loss(true, scores, sample_weight=weight, labels=CLASSES)
        )


@given(seed=st.integers(0, 2**32))
@SPELLS
def test_regression(seed: int) -> None:
    told = story(
        np.random.default_rng(seed),
        lambda rng: rng.normal(1e3, 5.0),
        lambda rng: rng.normal(1e3, 6.0),
    )
    truth = settled(told, task="regression")
    for performance, ids in parts_of(truth, told):
        figures = performance.get("regression")
        said = np.array([told.outputs[i] for i in ids])
        true = np.array([told.facts[i].truth for i in ids])
        weight = np.array([told.facts[i].weight for i in ids])
        assert figures["mae"] == close(
            metrics.mean_absolute_error(true, said, sample_weight=weight)
        )
        assert figures["rmse"] == close(
            math.sqrt(metrics.mean_squared_error(true, said, sample_weight=weight))
        )
        if len(ids) > 1:
            assert figures["r2"] == close(metrics.r2_score(true, said, sample_weight=weight))
        else:
            assert "r2" not in figures


@given(seed=st.integers(0, 2**32))
@SPELLS
def test_scores_that_users_computed(seed: int) -> None:
    told = story(
        np.random.default_rng(seed),
        lambda rng: float(rng.random()),
        lambda rng: True,
        lambda rng: {"ndcg": float(rng.random()), "wer": float(rng.random())},
    )
    truth = settled(told, task="ranking")
    for performance, ids in parts_of(truth, told):
        figures = performance.get("scores")
        scores = [told.facts[i].scores for i in ids]
        for name in ("ndcg", "wer"):
            values = [each[name] for each in scores if each is not None]
            weight = [told.facts[i].weight for i in ids]
            assert figures[name] == close(np.average(values, weights=weight))
