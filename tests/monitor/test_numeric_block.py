"""Columns counted side by side are what each is when it is counted alone, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streamgauge.batch.columns import NULL, NUMBER, Column
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.numeric_block import count_columns
from streamgauge.monitor.target import Target
from streamgauge.references.bins import numeric_bins

N, COLUMNS = 200, 70


def column(rng: np.random.Generator, kind: int) -> Column:
    values = rng.normal(size=N) * 10.0 ** float(rng.integers(-3, 6))
    kinds = np.full(N, NUMBER, dtype=np.int8)
    if kind % 4 == 1:
        kinds[rng.random(N) < 0.1] = NULL
    if kind % 4 == 2:
        values[rng.random(N) < 0.05] = -999.0
    if kind % 4 == 3:
        values[3], values[4], values[5] = 1e300, -0.0, 0.0
    if kind == 5:
        kinds[:] = NULL
    return Column(kinds, np.where(kinds == NUMBER, values, np.nan))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [7, 90])
def test_side_by_side_or_alone_is_the_same(weighted: bool, size: int) -> None:
    # Given columns with holes, sentinels, zeros of both signs and values too large to square
    rng = np.random.default_rng(5)
    targets: dict[str, Target] = {}
    for i in range(COLUMNS):
        target = targets[f"x{i}"] = Target(f"x{i}")
        target.draw_on(numeric_bins(rng.normal(size=500) * 10.0 ** (i % 4)), "numeric")
    together, alone = SeriesCounts(), SeriesCounts()
    # When three batches of them are counted in both ways
    for _ in range(3):
        placed = {
            name: target.place(column(rng, i)) for i, (name, target) in enumerate(targets.items())
        }
        rows = np.sort(rng.choice(N, size=size, replace=False))
        weights: NDArray[np.int64] | None = rng.integers(1, 9, size=size) if weighted else None
        count_columns(targets, placed, rows, together, weights)
        for name, each in placed.items():
            targets[name].count(each, rows, alone, weights)
    # Then nothing tells them apart
    assert repr(together.state()) == repr(alone.state())
    holed = together.targets["x1"].quality
    assert 0 < holed.missing < holed.seen
