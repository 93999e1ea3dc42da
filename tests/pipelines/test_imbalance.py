"""Samplers: what share of what is learned each class becomes."""

from __future__ import annotations

import pickle
import random
from collections import Counter

import pytest

from streamgauge.pipelines.imbalance import KEPT, MOST_COPIES, Sampler


def no_loss(row: dict[str, float], truth: object) -> float:
    return 0.0


def taught(sampler: Sampler, share: float, n: int = 20_000) -> Counter[bool]:
    """Classes of what is learned from a stream with so many positives."""
    rng = random.Random(5)
    found: Counter[bool] = Counter()
    for _ in range(n):
        found.update(y for _, y in sampler.sample({}, rng.random() < share, no_loss))
    return found


@pytest.mark.parametrize("kind", ["under_sampling", "over_sampling"])
@pytest.mark.parametrize("wanted", [0.5, 0.3])
def test_classes_get_the_share_that_is_wanted(kind: str, wanted: float) -> None:
    sampler = Sampler(kind, desired={True: wanted, False: 1 - wanted}, seed=3)
    found = taught(sampler, 0.08)
    assert found[True] / found.total() == pytest.approx(wanted, abs=0.03)


def test_under_sampling_learns_less_and_over_sampling_more() -> None:
    under, over = (Sampler(k, desired={}, seed=3) for k in ("under_sampling", "over_sampling"))
    assert taught(under, 0.1).total() < 5_000
    assert taught(over, 0.1).total() > 30_000


def test_one_rare_example_is_not_learned_a_million_times() -> None:
    # Given a stream of nothing but negatives
    sampler = Sampler("over_sampling", desired={}, seed=3)
    taught(sampler, 0.0)
    # When a positive comes at last
    found = sampler.sample({}, True, no_loss)
    # Then it is learned often, not endlessly
    assert len(found) == MOST_COPIES


def test_a_class_that_nobody_named_does_no_harm() -> None:
    sampler = Sampler("over_sampling", desired={0: 0.4, 1: 0.6}, seed=3)
    for code in (0, 1, 2):
        assert sampler.sample({}, code, no_loss)


def test_hard_examples_come_again() -> None:
    # Given a model that is only wrong about one kind of example
    sampler = Sampler("hard_sampling", desired={}, seed=3)
    rng = random.Random(5)
    learned = 0
    for _ in range(5000):
        hard = rng.random() < 0.05
        ((row, _),) = sampler.sample({"hard": float(hard)}, True, lambda row, _: row["hard"])
        learned += row["hard"] == 1.0
    # Then they are learned several times as often as they come: one in five is one of those kept
    assert 0.2 < learned / 5000 < 0.27
    assert len(sampler.state()[3]) == KEPT


@pytest.mark.parametrize("kind", ["under_sampling", "over_sampling", "hard_sampling"])
def test_the_state_continues_identically(kind: str) -> None:
    sampler = Sampler(kind, desired={True: 0.4, False: 0.6}, seed=3)
    taught(sampler, 0.2, 500)
    again = Sampler.from_state(pickle.loads(pickle.dumps(sampler.state())))
    assert taught(again, 0.2, 500) == taught(sampler, 0.2, 500)
    assert again.state() == sampler.state()
