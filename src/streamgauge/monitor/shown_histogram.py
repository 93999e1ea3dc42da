"""A histogram for people: before and after, over at most two dozen bins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from streamgauge.references.bins import Bins, CategoryBins
from streamgauge_client.events import Histogram

#: More bars than this nobody reads.
MOST_BARS = 24


def shown_histogram(
    bins: Bins, reference: NDArray[np.int64], current: NDArray[np.int64]
) -> Histogram:
    """Shares of both sides over the same bars. Shapes (bins,)."""
    starts = _starts(bins, reference)
    p = np.add.reduceat(reference, starts) / max(int(reference.sum()), 1)
    q = np.add.reduceat(current, starts) / max(int(current.sum()), 1)
    return Histogram(
        bins=_labels(bins, starts),
        reference=np.round(p, 6).tolist(),
        current=np.round(q, 6).tolist(),
    )


def _starts(bins: Bins, reference: NDArray[np.int64]) -> NDArray[np.intp]:
    """First bin of every bar. The outer bins keep bars of their own: they hold what is new."""
    if bins.size <= MOST_BARS:
        return np.arange(bins.size)
    if isinstance(bins, CategoryBins):
        return np.concatenate((np.arange(MOST_BARS - 1), [bins.size - 1]))
    inner = np.linspace(1, bins.size - 1, MOST_BARS - 1).astype(np.intp)
    return np.unique(np.concatenate(([0], inner)))


def _labels(bins: Bins, starts: NDArray[np.intp]) -> list[str]:
    labels = bins.labels
    if len(starts) == len(labels):
        return labels
    if isinstance(bins, CategoryBins):
        return [*(labels[i] for i in starts[:-2]), "(rarer)", labels[-1]]
    # The lowest edge may lie a hair below the smallest value: its label says it better.
    lows = [labels[0][2:], *(f"{edge:.6g}" for edge in bins.edges[starts[2:] - 1].tolist())]
    between = [f"{low} – {high}" for low, high in pairwise(lows)]
    return [labels[0], *between, labels[-1]]
