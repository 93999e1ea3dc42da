"""Columns of a made-up model: drawn event by event, or as counts over given bins."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit, softmax

from load_tests.quiet.movement import Movement
from streamgauge.references.bins import Bins, CategoryBins, NumericBins

Floats = NDArray[np.float64]
#: Where a column's path may be, for the tables of shares: a tenth of a deviation apart.
LEVELS: Floats = np.linspace(-6.0, 6.0, 121)
#: Values from which the mean and the extremes of each bin are taken.
_TABLED = 40_000


class Table(NamedTuple):
    """What falls into bins: shares (levels, bins), and the mean of values and squares (bins,)."""

    shares: Floats
    mean: Floats
    square: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class NumericColumn:
    """``link(noise + path)``: the noise normal, or Student's t with ``tail`` degrees of freedom.

    Links: ``line`` centre + spread·y, ``ratio`` a number in (0, 1), ``exp`` e^(centre + spread·y),
    ``count`` the whole number below that.
    """

    name: str
    link: Literal["line", "ratio", "exp", "count"]
    centre: float = 0.0
    spread: float = 1.0
    tail: float | None = None
    missing: float = 0.0
    movement: Movement = field(default_factory=Movement)

    def values(self, rng: np.random.Generator, path: Floats) -> Floats:
        """One value for each entry of the path (n,)."""
        n = len(path)
        noise = rng.normal(size=n) if self.tail is None else rng.standard_t(self.tail, size=n)
        y = self.centre + self.spread * (noise + path)
        if self.link == "line":
            return y
        if self.link == "ratio":
            return np.asarray(expit(y), dtype=np.float64)
        grown = np.exp(np.minimum(y, 300.0))
        return np.floor(grown) if self.link == "count" else grown

    def below(self, edges: Floats) -> Floats:
        """Share of values at or below each edge, shape (levels, edges), by level of the path."""
        with np.errstate(divide="ignore"):
            if self.link == "line":
                y = edges
            elif self.link == "ratio":
                y = logit(np.clip(edges, 0.0, 1.0))
            elif self.link == "exp":
                y = np.log(np.maximum(edges, 0.0))
            else:
                y = np.log(np.maximum(np.floor(edges) + 1, 0.0))
        noise = (y - self.centre) / self.spread - LEVELS[:, None]
        law = stats.norm if self.tail is None else stats.t(self.tail)
        return np.asarray(law.cdf(noise), dtype=np.float64)

    def table(self, bins: Bins, rng: np.random.Generator) -> Table:
        """What falls into the bins."""
        assert isinstance(bins, NumericBins)
        edges = bins.edges
        cumulative = np.pad(self.below(edges), ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        values = self.values(rng, rng.normal(size=_TABLED) * self.movement.deviation / 2)
        place = bins.place(values)
        n = np.bincount(place, minlength=bins.size)
        # A bin that none of these reached stands for itself by its edges.
        low, high = edges[np.r_[0, : len(edges)]], edges[np.r_[: len(edges), -1]]
        middle = (low + high) / 2
        mean = np.bincount(place, values, bins.size) / np.maximum(n, 1)
        square = np.bincount(place, values * values, bins.size) / np.maximum(n, 1)
        none = n == 0
        mean[none], square[none] = middle[none], middle[none] ** 2
        # Two doubles that should be equal may differ by a hair, and no share is below nothing.
        shares = np.maximum(np.diff(cumulative, axis=1), 0.0)
        return Table(shares, mean, square, low, high)


@dataclass(frozen=True)
class CategoryColumn:
    """Categories whose log-odds move with the path, each its own way."""

    name: str
    weights: tuple[tuple[str, float], ...]
    missing: float = 0.0
    movement: Movement = field(default_factory=Movement)

    def chances(self, path: Floats) -> Floats:
        """Chance of each category (n, categories)."""
        odds = np.log([weight for _, weight in self.weights])
        slopes = np.cos(1.0 + np.arange(len(odds)))
        return np.asarray(softmax(odds + path[:, None] * slopes, axis=1), dtype=np.float64)

    def values(self, rng: np.random.Generator, path: Floats) -> list[str]:
        """One category for each entry of the path (n,)."""
        cumulative = np.cumsum(self.chances(path), axis=1)
        drawn = (rng.random(len(path))[:, None] > cumulative[:, :-1]).sum(axis=1)
        names = [name for name, _ in self.weights]
        return [names[i] for i in drawn.tolist()]

    def table(self, bins: Bins, rng: np.random.Generator) -> Table:
        """What falls into the bins."""
        assert isinstance(bins, CategoryBins)
        place = bins.place([name for name, _ in self.weights])
        shares = np.zeros((len(LEVELS), bins.size))
        np.add.at(shares.T, place, self.chances(LEVELS).T)
        nothing = np.full(bins.size, math.nan)
        return Table(shares, nothing, nothing, nothing, nothing)


Column = NumericColumn | CategoryColumn


def occupied(path: Floats, panes: int) -> Floats:
    """How long each pane is at each level: shares (panes, levels) of a path that fills them."""
    level = np.rint((np.clip(path, LEVELS[0], LEVELS[-1]) - LEVELS[0]) * 10).astype(np.int64)
    steps = len(path) // panes
    rows = np.repeat(np.arange(panes), steps)
    counts = np.bincount(rows * len(LEVELS) + level, minlength=panes * len(LEVELS))
    return counts.reshape(panes, len(LEVELS)) / steps
