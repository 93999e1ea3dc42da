"""Ids that come again: found by a sample, whatever ids look like, in bounded memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.metrics.duplicates import ONE_IN, Duplicates, RecentIds
from streamgauge.state.packing import pack, unpack

SHAPES: dict[str, Callable[[int], str]] = {
    "serial": lambda i: f"{i}",
    "padded": lambda i: f"pred-{i:012d}",
    "fraud": lambda i: f"fraud-{i}",
    "hex": lambda i: f"{i:016x}",
    "uuid": lambda i: str(uuid.UUID(int=(i * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_id_in_sixteen_is_looked_at(shape: str) -> None:
    ids = [SHAPES[shape](i) for i in range(40_000)]
    sampled = RecentIds().look(ids)
    # Binomial: one standard deviation is 0.12 % of the ids.
    assert len(sampled.rows) / len(ids) == pytest.approx(1 / ONE_IN, abs=0.005)
    # Chance alone makes one or two repeats of them.
    assert np.count_nonzero(sampled.repeated) <= 3
    # They are spread over the stream, so that no window goes without.
    assert np.diff(sampled.rows).max() < 400


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_the_ratio_is_that_of_events_that_repeat_one(share: float) -> None:
    # Given a stream in which some events are sent twice, 500 events later
    rng = np.random.default_rng(5)
    ids: list[str] = []
    for i in range(60_000):
        again = i > 500 and rng.random() < share
        ids.append(ids[i - 500] if again else f"p-{i}")
    counts = Duplicates()
    recent = RecentIds()
    for start in range(0, len(ids), 1000):
        counts.update(recent.look(ids[start : start + 1000]).repeated)
    # Then the estimate is near (three standard deviations, and chains of repeats)
    n = len(ids) / ONE_IN
    assert counts.get()["duplicate_ratio"] == pytest.approx(
        share, abs=3 * np.sqrt(share * (1 - share) / n) + 0.002
    )


@given(st.lists(st.integers(0, 300), max_size=400), st.lists(st.integers(0, 400), max_size=4))
def test_the_cut_of_batches_does_not_show(numbers: list[int], cuts: list[int]) -> None:
    ids = [f"id{number}" for number in numbers]
    whole, parts = RecentIds(remembered=5), RecentIds(remembered=5)
    expected = whole.look(ids)
    found = []
    edges = sorted({0, len(ids), *(min(cut, len(ids)) for cut in cuts)})
    for start, stop in zip(edges, edges[1:], strict=False):
        sampled = parts.look(ids[start:stop])
        found += list(zip((sampled.rows + start).tolist(), sampled.repeated, strict=True))
        parts = RecentIds.from_state(unpack(pack(parts.state())))
    assert found == list(zip(expected.rows.tolist(), expected.repeated, strict=True))
    assert pack(parts.state()) == pack(whole.state())


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    recent = RecentIds()
    for start in range(0, 200_000, 5_000):
        recent.look([f"p-{i}" for i in range(start, start + 5_000)])
    assert len(pack(recent.state())) < 17_000
    assert recent.look([f"p-{i}" for i in range(190_000, 200_000)]).repeated.all()
    assert not recent.look([f"p-{i}" for i in range(10_000)]).repeated.any()


def test_no_events_are_no_sample() -> None:
    sampled = RecentIds().look([])
    assert len(sampled.rows) == len(sampled.repeated) == 0
    assert Duplicates().get() == {}
