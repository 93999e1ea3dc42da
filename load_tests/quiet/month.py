"""What happens to one model, pane by pane: how many events, and where each column's path is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from load_tests.quiet.columns import Column
from load_tests.quiet.movement import DAY, Floats, Path
from load_tests.quiet.recipes import Recipe

#: Points of a path in a pane.
STEPS = 12
#: A pane's traffic varies by this much beyond chance.
UNEVEN = 0.1


@dataclass(frozen=True)
class Stretch:
    """Consecutive panes under the same versions.

    ``panes`` (k,) are their indices, ``n`` (k,) their events, ``paths`` hold ``STEPS`` points a
    pane for each column by name.
    """

    panes: NDArray[np.int64]
    n: NDArray[np.int64]
    paths: dict[str, Floats]
    versions: tuple[tuple[str, float], ...]

    def part(self, start: int, end: int) -> Stretch:
        """Some of its panes."""
        paths = {name: path[start * STEPS : end * STEPS] for name, path in self.paths.items()}
        return Stretch(self.panes[start:end], self.n[start:end], paths, self.versions)


def columns_of(recipe: Recipe) -> tuple[Column, ...]:
    """Everything that moves: features, score, latency."""
    return (*recipe.features, recipe.score, recipe.latency)


def stretches(recipe: Recipe, *, pane: float, days: float) -> Iterator[Stretch]:
    """The model's time in order, at most about a day at once. ``pane`` is in seconds."""
    rng = np.random.default_rng([*recipe.seed, 1])
    paths = {column.name: Path(column.movement, rng) for column in columns_of(recipe)}
    first = math.ceil(recipe.start / pane)
    last = math.floor((recipe.start + days * DAY) / pane)
    at_once = max(round(DAY / pane), 2)
    for low in range(first, last, at_once):
        panes = np.arange(low, min(low + at_once, last))
        steps = (np.arange(len(panes) * STEPS) / STEPS + low) * pane
        uneven = rng.gamma(UNEVEN**-2, UNEVEN**2, size=len(panes))
        rates = recipe.rates(np.asarray(panes * pane, dtype=np.float64)) * uneven
        n = rng.poisson(rates * pane)
        taken = {name: path.take(steps) for name, path in paths.items()}
        if (shift := recipe.shift) is not None:
            taken[shift.column] += shift.size * (steps >= shift.time)
        whole = Stretch(panes, n, taken, ())
        shares = [recipe.shares(start) for start in (panes * pane).tolist()]
        changes = [i for i in range(1, len(shares)) if shares[i] != shares[i - 1]]
        for start, end in itertools.pairwise([0, *changes, len(shares)]):
            part = whole.part(start, end)
            yield Stretch(part.panes, part.n, part.paths, shares[start])
