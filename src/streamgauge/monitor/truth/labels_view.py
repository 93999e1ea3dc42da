"""How labels meet predictions, as readers see it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels import LabelJoin
from streamgauge.labels.block import BLOCK, LABELLED, WITHDRAWN
from streamgauge.labels.counts import by_delay, delay_quantile
from streamgauge.state.views import LabelsView

QUANTILES = (0.5, 0.95, 0.99)
#: Blocks of waiting predictions that are looked at for delays; of more, each n-th.
MOST_BLOCKS = 100

Counts = NDArray[np.int64]


def labels_view(join: LabelJoin, *, mismatched: int) -> LabelsView:
    """Counters and shares of a join; ``mismatched`` labels fitted no answer."""
    counts = join.counts
    told = counts.agreed + counts.disagreed
    return LabelsView(
        counts=counts.get(),
        coverage_ratio=_share(counts.settled_labelled, counts.settled),
        labelled_ratio=_share(counts.joined, counts.admitted),
        sampling_ratio=math.ldexp(1.0, -join.admission.level),
        admitted_ratio=_share(counts.admitted, counts.predictions - counts.repeated),
        pending=join.pending,
        early=len(join.early),
        orphans=join.early.orphans,
        mismatched=mismatched,
        delay_quantiles=_quantiles(join),
        disagreement_ratio=_share(counts.disagreed, told),
    )


def _share(part: int, whole: int) -> float | None:
    return min(part / whole, 1.0) if whole > 0 else None


def _quantiles(join: LabelJoin) -> dict[str, float]:
    labelled, censored = delays(join)
    found = {q: delay_quantile(labelled, censored, q) for q in QUANTILES}
    return {f"{q:g}": max(seconds, 0.0) for q, seconds in found.items() if seconds is not None}


def delays(join: LabelJoin) -> tuple[Counts, Counts]:
    """Delays of labels, and ages of predictions without one, by bin: of all there ever were.

    A prediction that is not settled is as old as the newest one lets it be. Where very many wait,
    every n-th block stands for n.
    """
    table = join.table
    labelled, censored = join.counts.delays.copy(), join.counts.censored.copy()
    if table.first >= table.end:
        return labelled, censored
    now = table.logged(table.end - 1)
    blocks = list(table.blocks.items())
    step = -(-len(blocks) // MOST_BLOCKS)
    state, delay, age = [], [], []
    for number, block in blocks[::step]:
        # What is settled in the first block was counted when it was.
        open_ = slice(max(table.first - number * BLOCK, 0), block.n)
        state.append(block.rows.state[open_])
        delay.append(block.rows.delay[open_])
        age.append(now - block.rows.logged[open_])
    states = np.concatenate(state)
    came = (states == LABELLED) | (states == WITHDRAWN)
    labelled += step * by_delay(np.concatenate(delay)[came])
    censored += step * by_delay(np.concatenate(age)[~came])
    return labelled, censored
