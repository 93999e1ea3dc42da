"""What is learned of how far windows lie apart while a reference is provisional."""

from __future__ import annotations

import numpy as np

from streamgauge.monitor.contents import Placed, TargetCounts
from streamgauge.monitor.target import Target
from streamgauge.references.bins import numeric_bins


def settled(sparse: float) -> Target:
    """A target after a week of windows with slow noise, a share of which has three values only."""
    rng = np.random.default_rng(1)
    target = Target("x")
    bins = numeric_bins(rng.normal(size=2_000))
    target.draw_on(bins, "numeric")
    start = 0.0
    while target.blocks.own:
        n = 3 if rng.random() < sparse else 300
        values = rng.normal(size=n) + 0.15 * rng.normal()
        counts = TargetCounts()
        placed = Placed(bins.place(values), values)
        counts.update(placed, np.arange(n), bins=bins.size, shift=target.shift)
        target.learn(counts, start=start, end=start + 60, min_events=5_000, min_seconds=6_000)
        start += 60
    return target


def test_windows_that_are_never_judged_move_no_threshold() -> None:
    # Given a feature that is there all the time, and one that is mostly not
    usual, sparse = (settled(share).blocks.threshold(1 / 300, alpha=1e-5) for share in (0.0, 0.5))
    # Then windows of hundreds of values are judged alike
    assert abs(sparse / usual - 1) < 0.1
