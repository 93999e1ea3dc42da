"""Events whose features are ordinary one by one and odd together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from streamgauge.monitor.anomaly import (
    CALIBRATION,
    LEARNING,
    MISSING,
    SCREENING,
    Anomaly,
    rank_column,
    rank_table,
)
from streamgauge.monitor.anomaly_projections import RANKS
from streamgauge.state.packing import pack, unpack

Ranks = NDArray[np.int32]
NEEDED = SCREENING + LEARNING + CALIBRATION


def ranked(normal: NDArray[np.float64]) -> Ranks:
    """Standard normal values as mid-ranks of 64 quantile bins."""
    bins = (norm.cdf(normal) * 64).astype(np.intp).clip(0, 63)
    return rank_column(bins.ravel(), rank_table((np.arange(64) + 0.5) / 64)).reshape(normal.shape)


def alone(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float64]:
    return rng.normal(size=(n, d))


def paired(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float64]:
    """The first two features have correlation 0.95."""
    values = alone(rng, n, d)
    values[:, 1] = 0.95 * values[:, 0] + np.sqrt(1 - 0.95**2) * values[:, 1]
    return values


def opposed(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float64]:
    values = paired(rng, n, d)
    values[:, 1] *= -1
    return values


def together(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float64]:
    """All features follow one factor."""
    values: NDArray[np.float64] = rng.normal(size=(n, 1)) * 2.0 + alone(rng, n, d)
    return values / float(np.sqrt(5.0))


Stream = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def taught(stream: Stream, *, d: int = 10, seed: int = 3) -> Anomaly:
    anomaly = Anomaly([f"x{i}" for i in range(d)])
    anomaly.learn(ranked(stream(np.random.default_rng(seed), NEEDED, d)))
    return anomaly


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("usual", "odd", "d", "least"),
    [
        (paired, alone, 10, 0.20),
        (opposed, alone, 10, 0.20),
        (paired, opposed, 10, 0.30),
        (together, alone, 10, 0.40),
        (together, alone, 64, 0.40),
        (paired, alone, 2, 0.20),
    ],
    ids=["pair", "opposed pair", "pair turned", "factor", "wide", "narrow"],
)
def test_a_broken_correlation_is_found_though_every_feature_is_as_before(
    usual: Stream, odd: Stream, d: int, least: float, seed: int
) -> None:
    # Given a score that learned the usual stream
    anomaly = taught(usual, d=d, seed=seed)
    rng = np.random.default_rng(100 + seed)
    # When the features come apart, each still normal by itself
    before = anomaly.unusual(ranked(usual(rng, 20_000, d))).mean()
    after = anomaly.unusual(ranked(odd(rng, 20_000, d))).mean()
    # Then one event in two hundred was unusual before, give or take, and very many are now
    assert 0.002 < before < 0.009
    assert after > least


def test_where_nothing_goes_together_nothing_is_made_up() -> None:
    anomaly = taught(alone)
    fresh = ranked(alone(np.random.default_rng(9), 20_000, 10))
    assert anomaly.unusual(fresh).mean() == pytest.approx(0.005, abs=0.003)
    assert anomaly.score(fresh).mean() == pytest.approx(1.0, abs=0.2)


def test_a_single_odd_event_scores_above_the_threshold() -> None:
    anomaly = taught(together)
    usual, odd = np.full((1, 10), 900, dtype=np.int32), np.full((1, 10), 900, dtype=np.int32)
    odd[0, ::2] = 100
    (low,), (high,) = anomaly.score(usual), anomaly.score(odd)
    assert low < anomaly.threshold < high
    assert anomaly.unusual(np.vstack([usual, odd])).tolist() == [False, True]


# Fewer examples: each feeds five thousand events.
@settings(max_examples=15)
@given(st.lists(st.integers(0, NEEDED + 500), max_size=6), st.booleans())
def test_the_cut_of_batches_does_not_show(cuts: list[int], stored: bool) -> None:
    ranks = ranked(paired(np.random.default_rng(0), NEEDED + 500, 5))
    ranks[::7, 2] = MISSING
    names = [f"x{i}" for i in range(5)]
    whole, parts = Anomaly(names), Anomaly(names)
    first, expected = whole.observe(ranks)
    assert first == NEEDED
    edges = sorted({0, len(ranks), *cuts})
    found: list[bool] = []
    for start, stop in zip(edges, edges[1:], strict=False):
        found += parts.observe(ranks[start:stop]).unusual.tolist()
        if stored:
            blob = pack(parts.state())
            parts = Anomaly.from_state(names, unpack(blob))
            assert pack(parts.state()) == blob
    assert pack(parts.state()) == pack(whole.state())
    assert found == expected.tolist()
    assert parts.score(ranks).tobytes() == whole.score(ranks).tobytes()


def test_scores_do_not_hang_on_who_else_is_in_the_batch() -> None:
    anomaly = taught(together)
    ranks = ranked(alone(np.random.default_rng(4), 257, 10))
    each = [anomaly.score(row[None, :])[0] for row in ranks]
    assert anomaly.score(ranks).tolist() == each


@pytest.mark.parametrize("taken", [0, 1, SCREENING - 1, SCREENING, 2_500, NEEDED])
def test_the_state_of_64_features_is_small(taken: int) -> None:
    anomaly = Anomaly([f"feature-{i}" for i in range(200)])
    anomaly.learn(ranked(together(np.random.default_rng(2), NEEDED, 200))[:taken])
    assert len(pack(anomaly.state())) < 8 * 1024


def test_it_says_when_it_has_not_learned_enough() -> None:
    anomaly = Anomaly(["a"])
    with pytest.raises(ValueError, match=f"learned from 0 events, and {NEEDED} are needed"):
        anomaly.score(np.zeros((1, 1), dtype=np.int32))
    judged = anomaly.observe(np.zeros((10, 1), dtype=np.int32))
    assert (judged.first, len(judged.unusual)) == (10, 0)
    with pytest.raises(ValueError, match="needs a feature"):
        Anomaly([])


@pytest.mark.parametrize("d", [1, 2, 3, 64])
def test_every_rank_has_a_place(d: int) -> None:
    anomaly = taught(alone, d=d)
    rng = np.random.default_rng(d)
    corners = np.where(rng.random((2_000, d)) < 0.5, 0, RANKS - 1)
    beyond = np.array([[RANKS] * d, [MISSING] * d, [0] * d, [10**6] * d])
    for ranks in (corners, beyond):
        assert np.isfinite(anomaly.score(ranks)).all()
    assert (anomaly.score(beyond[:1]) == anomaly.score(np.full((1, d), RANKS - 1))).all()
    assert len(anomaly.score(np.zeros((0, d), dtype=np.int32))) == 0


def test_other_names_look_elsewhere() -> None:
    ranks = ranked(alone(np.random.default_rng(0), NEEDED, 5))
    one, other = Anomaly(list("abcde")), Anomaly(list("vwxyz"))
    one.learn(ranks)
    other.learn(ranks)
    assert one.score(ranks).tolist() != other.score(ranks).tolist()
