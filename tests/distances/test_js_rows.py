"""References side by side give the very bits that each gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.distances import JensenShannon
from streamgauge.distances.base import sampling_noise
from streamgauge.distances.js_rows import JensenShannonRows


@pytest.mark.parametrize("seed", range(40))
def test_side_by_side_or_alone_is_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    alone, alpha = JensenShannon(), float(10 ** -rng.uniform(1, 8))
    # Given references of many lengths, some as long as others, with what is new and without
    before, after = [], []
    for size in rng.choice([1, 2, 7, 8, 9, 63, 64, 65, 130, 300], size=20).tolist():
        reference = rng.integers(1, 500, size)
        shares = rng.dirichlet(np.full(size, float(rng.choice([0.05, 1.0, 50.0]))))
        current = rng.multinomial(int(rng.integers(50, 5_000)), shares)
        if size > 1 and rng.random() < 0.6:
            reference[-1] = 0
            current[0] += current[-1]
            current[-1] = rng.integers(0, 2)
        before.append(reference)
        after.append(current)
    rows = JensenShannonRows(before)
    flat = np.zeros(rows.size, dtype=np.int64)
    for start, each in zip(rows.starts, after, strict=True):
        flat[start : start + len(each)] = each
    # When they are measured in one go
    found = rows.measure(flat, [int(each.sum()) for each in after], alpha=alpha)
    assert [tuple(each) for each in found] == [
        (alone.value(p, q), alone.threshold(p, q, alpha=alpha), sampling_noise(p, q))
        for p, q in zip(before, after, strict=True)
    ]


def test_what_has_a_hole_does_not_fit() -> None:
    fits = JensenShannonRows.fits
    assert fits(np.array([3, 1, 0])) and fits(np.array([1]))
    assert not fits(np.array([3, 0, 1])) and not fits(np.array([0])) and not fits(np.array([0, 0]))
