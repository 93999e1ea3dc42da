"""A stretch as counts: what the monitor would have counted of events that are not drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from load_tests.quiet.columns import LEVELS, CategoryColumn, Column, Table, occupied
from load_tests.quiet.month import Stretch
from load_tests.quiet.movement import Floats
from load_tests.quiet.recipes import ERRORS, Recipe
from streamgauge.metrics.duplicates import ONE_IN
from streamgauge.metrics.histogram import Histogram
from streamgauge.metrics.moments import Moments
from streamgauge.monitor.contents import SeriesCounts, TargetCounts
from streamgauge.monitor.series import COMPARED, Series
from streamgauge.monitor.step import CONFIDENCE, LABEL, LATENCY, OUTPUT, SCORE
from streamgauge.monitor.target import Target
from streamgauge.references.bins import Bins, NumericBins

Counts = NDArray[np.int64]


class Drawn(NamedTuple):
    """One target's counts over panes (k, bins), and how many events had no value (k,)."""

    bins: Bins
    shift: float
    complete: bool
    table: Table
    counts: Counts
    missing: Counts


class DrawnPanes(NamedTuple):
    """A version's panes: events (k,), its targets' counts, and those in its rival's bins."""

    n: list[int]
    targets: dict[str, Drawn]
    beside: dict[str, Drawn]
    sampled_ids: list[int]

    def fits(self, series: Series) -> bool:
        """Whether the monitor still has the bins that these were drawn for."""
        targets, rival = series.targets, series.rival
        return all(targets[name].bins is each.bins for name, each in self.targets.items()) and (
            rival is None
            or all(rival.outputs[name].bins is each.bins for name, each in self.beside.items())
        )


@dataclass(frozen=True)
class LabelColumn:
    """The label of a score: "yes" above one half."""

    name: str
    score: Column

    def table(self, bins: Bins, rng: np.random.Generator) -> Table:
        """What falls into the bins."""
        assert not isinstance(bins, NumericBins) and not isinstance(self.score, CategoryColumn)
        no = self.score.below(np.array([0.5]))[:, 0]
        shares = np.zeros((len(LEVELS), bins.size))
        for share, place in zip((no, 1 - no), bins.place(["no", "yes"]), strict=True):
            shares[:, place] += share
        nothing = np.full(bins.size, np.nan)
        return Table(shares, nothing, nothing, nothing, nothing)


class PaneDrawer:
    """Draws counts of one model's panes over whatever bins its targets have."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator) -> None:
        self._recipe, self._rng = recipe, rng
        self._tables: dict[tuple[str, int], tuple[Bins, Table]] = {}
        label = LabelColumn(LABEL, recipe.score)
        self._outputs = ((SCORE, recipe.score), (LATENCY, recipe.latency), (LABEL, label))

    def ready(self, targets: dict[str, Target]) -> bool:
        """Whether everything that is counted has bins to be counted into."""
        names = [column.name for column in self._recipe.features] + [SCORE, LATENCY, LABEL]
        return all(name in targets and targets[name].bins is not None for name in names)

    def draw(self, stretch: Stretch, n: Counts, series: Series) -> DrawnPanes:
        """Counts of ``n`` (k,) events a pane, for every target by name."""
        failed = self._rng.binomial(n, ERRORS)
        targets = series.targets
        drawn = {}
        for column in self._recipe.features:
            missing = self._rng.binomial(n, column.missing) if column.missing else np.zeros_like(n)
            drawn[column.name] = self._one(column, column.name, stretch, n, missing, targets)
        beside = {}
        rival = series.rival.outputs if series.rival is not None else {}
        for name, output in self._outputs:
            missing = np.zeros_like(n) if name == LATENCY else failed
            path = SCORE if name == LABEL else name
            drawn[name] = self._one(output, path, stretch, n, missing, targets)
            if name in COMPARED and name in rival and rival[name].bins is not None:
                beside[name] = self._one(output, path, stretch, n, missing, rival)
        sampled = self._rng.binomial(n, 1 / ONE_IN).tolist()
        return DrawnPanes(n.tolist(), drawn, beside, sampled)

    def _one(
        self,
        column: Column | LabelColumn,
        path: str,
        stretch: Stretch,
        n: Counts,
        missing: Counts,
        targets: dict[str, Target],
    ) -> Drawn:
        target = targets[column.name]
        assert target.bins is not None
        key = (column.name, id(target.bins))
        if key not in self._tables:
            # The bins are kept beside, or another's could come to lie at the same place.
            self._tables[key] = (target.bins, column.table(target.bins, self._rng))
        table = self._tables[key][1]
        shares = occupied(stretch.paths[path], len(stretch.panes)) @ table.shares
        shares /= shares.sum(axis=1, keepdims=True)
        counts = self._rng.multinomial(n - missing, shares)
        reference = target.reference
        complete = reference is not None and target.type == "categorical"
        complete = complete and reference is not None and not reference.counts[-1]
        return Drawn(target.bins, target.shift, complete, table, counts, missing)


def pane_counts(drawn: DrawnPanes, i: int) -> SeriesCounts:
    """The ``i``-th pane as the monitor would have counted its events."""
    counts, n = SeriesCounts(), drawn.n[i]
    for name, each in drawn.targets.items():
        counts.targets[name] = _target_counts(each, i, n)
    for name, each in drawn.beside.items():
        counts.beside[name] = _target_counts(each, i, n)
    failed = int(drawn.targets[SCORE].missing[i])
    nulls = counts.targets[OUTPUT] = TargetCounts()
    nulls.events = n
    nulls.quality.update(n)
    sure = counts.targets[CONFIDENCE] = TargetCounts()
    sure.events = n
    label = drawn.targets[LABEL]
    unsure = int(label.counts[i][label.bins.place(["no"])[0]]) if failed < n else 0  # type: ignore
    sure.quality.update(n, missing=failed, out_of_range=unsure)
    counts.duplicates.sampled = drawn.sampled_ids[i]
    latency, traffic = drawn.targets[LATENCY], counts.traffic
    traffic.events = n
    traffic.statuses[:2] = n - failed, failed
    # Its sum stays 0: it is shown and never judged.
    traffic.latency = latency.counts[i].copy()
    return counts


def _target_counts(each: Drawn, i: int, n: int) -> TargetCounts:
    row, missing = each.counts[i], int(each.missing[i])
    made = TargetCounts()
    made.events = n
    made.quality.update(n, missing=missing, new_category=int(row[-1]) if each.complete else 0)
    if n == missing:
        return made
    made.histogram = Histogram(bins=len(row))
    made.histogram.counts = row
    made.squares = n - missing
    if isinstance(each.bins, NumericBins):
        made.moments = _moments(row, each)
    return made


def means(drawn: Drawn) -> Floats:
    """Mean value of each pane (k,)."""
    total = np.maximum(drawn.counts.sum(axis=1), 1)
    return np.asarray((drawn.counts @ drawn.table.mean) / total, dtype=np.float64)


def _moments(row: Counts, each: Drawn) -> Moments:
    table, shift = each.table, each.shift
    moments = Moments(shift=shift)
    moments.n = n = int(row.sum())
    total = float(row @ table.mean)
    moments.total = total - n * shift
    moments.squares = float(row @ table.square) - 2 * shift * total + n * shift * shift
    within = np.flatnonzero(row)
    moments.smallest, moments.largest = float(table.low[within[0]]), float(table.high[within[-1]])
    return moments
