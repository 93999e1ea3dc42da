"""How much windows differ that differ by nothing: the part of a threshold that theory misses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv

from streamgauge.monitor.window_distances import ENOUGH_WINDOWS, OUTLYING, WindowDistances, squared

Counts = NDArray[np.int64]

#: Blocks that are kept; more teach little and cost state.
MOST_BLOCKS = ENOUGH_WINDOWS
#: Live blocks before they are believed, and fewest that a spread can be told from.
ENOUGH_BLOCKS = 6
LEAST_BLOCKS = 4
#: Versions whose spread a new one takes over.
MOST_ELDERS = 3
#: Factor on the variance while nothing is known: AR(1) with 0.9 has 19.
CAUTION = 20.0
#: Factor on a squared distance that a fitted tail promises: a month asks for a chance of one in
#: a hundred thousand, and the fit knows some dozens or hundreds of windows.
TAIL = 1.3
#: Smallest expected count of a bin; rarer bins are merged with a neighbour.
SMALLEST_EXPECTED = 5.0


class Fit(NamedTuple):
    """A gamma distribution of squared distances in units of their noise, and its windows."""

    shape: float
    scale: float
    windows: int

    def quantile(self, alpha: float) -> float:
        """What a window exceeds with chance ``alpha``."""
        # Few blocks tell the tail badly: wider, the fewer there are.
        few = 2.0 / math.sqrt(self.windows) * max(1.0 - self.windows / MOST_BLOCKS, 0.0)
        margin = max(TAIL, 1.0 + few)
        return self.scale * unit_gamma_quantile(self.shape, alpha) * margin


@lru_cache(maxsize=65_536)
def unit_gamma_quantile(shape: float, alpha: float) -> float:
    """What a gamma variable of scale 1 exceeds with chance ``alpha``; asked at every window."""
    return float(gammainccinv(shape, alpha))


class Blocks:
    """Histograms of windows of one distribution, and the gamma fit of their distances.

    Each block is held against the sum of the others (leave one out). Autocorrelation and seasons
    make blocks differ more than independent events would; the fit puts that into the threshold.
    Once closed, only the fit is kept.
    """

    def __init__(self) -> None:
        self.own = True
        self.count = 0
        self._blocks: list[NDArray[np.int32]] = []
        self._seen = 0
        self._stride = 1
        self._fit: tuple[float, float] | None = None
        self._stale = False
        #: Fits of versions before this one, the newest first.
        self._elders: list[Fit] = []
        self._distances = WindowDistances()
        #: Chance, fit and windows asked for last, and the squared distance that they gave: windows
        #: of one length ask for the same again and again.
        self._known: tuple[float, tuple[float, float] | None, int, float] | None = None

    def inherit(self, elder: Blocks) -> None:
        """Take over how far the windows of the version before lay apart.

        Hours and moods are the traffic's, and a version that lives for days never sees a week.
        """
        fit = elder._fitted()
        own = [Fit(*fit, elder.count)] if fit is not None else []
        self._elders = [*own, *elder._elders][:MOST_ELDERS]
        self._known = None

    @classmethod
    def of(cls, blocks: Iterable[Counts]) -> Self:
        """Return the closed calibration of a profile's blocks; an open one where it has none."""
        made = cls()
        for block in blocks:
            made.add(block)
        if made.count:
            made.close()
        return made

    @property
    def calibrated(self) -> bool:
        return self.count >= ENOUGH_BLOCKS

    def add(self, counts: Counts) -> bool:
        """Take a window, as long as blocks are wanted. True where it was kept.

        Of a long time every second, every fourth, … is kept, so that the blocks span all of it.
        """
        if not self.own or not counts.sum():
            return False
        kept = self._seen % self._stride == 0
        if kept:
            self._blocks.append(counts.astype(np.int32))
            self._stale = True
        self._seen += 1
        if len(self._blocks) > MOST_BLOCKS:
            self._blocks = self._blocks[::2]
            self._stride *= 2
        self.count = len(self._blocks)
        return kept

    @property
    def full(self) -> bool:
        """Whether as many windows were taken as are wanted at most."""
        return self._seen >= MOST_BLOCKS

    def compare(self, reference: Counts, counts: Counts) -> None:
        """Take an ordinary window's distance from the reference, both over the same bins.

        Blocks are a few of many windows. Which ones they are is chance, and where slow noise moves
        whole windows, so is what a fit of them says.
        """
        if self.own:
            self._distances.add(squared(reference, counts))

    def close(self) -> None:
        """Gather no more: what is known by now is the calibration."""
        self._fit = self._distances.fit or self._fitted()
        self._stale = False
        self.own = False
        self._blocks = []

    def threshold(self, noise: float, *, alpha: float) -> float:
        """Distance that a window exceeds with chance ``alpha``, by the blocks alone; 0 unknown.

        ``noise`` is 1/N + 1/n of the window to be judged.
        """
        known, own = self._known, self._fitted()
        if known is None or known[0] != alpha or known[1] is not own or known[2] != self.count:
            fits = self._elders if own is None else [Fit(*own, self.count), *self._elders]
            squared = max((fit.quantile(alpha) for fit in fits), default=0.0)
            known = self._known = (alpha, own, self.count, squared)
        return min(math.sqrt(known[3] * noise), 1.0)

    def _fitted(self) -> tuple[float, float] | None:
        if self._stale:
            self._fit = _gamma_fit([b.astype(np.int64) for b in self._blocks])
            self._stale = False
        return self._fit

    def state(self) -> list[Any]:
        """The part that changes with every window."""
        elders = [list(fit) for fit in self._elders]
        counted = [self.own, self._seen, self._stride, self.count]
        return [*counted, self._fitted(), elders, self._distances.state()]

    def slow_state(self) -> list[Any]:
        """The part that changes only when a block is kept."""
        return list(self._blocks)

    @classmethod
    def from_state(cls, state: list[Any], slow: list[Any]) -> Self:
        made = cls()
        made.own, made._seen, made._stride, made.count, fit, elders, distances = state
        made._distances = WindowDistances(*distances)
        made._elders = [Fit(*each) for each in elders]
        made._blocks = list(slow)
        made._fit = (fit[0], fit[1]) if fit is not None else None
        return made


def _gamma_fit(blocks: list[Counts]) -> tuple[float, float] | None:
    """Shape and scale, by moments, of the blocks' squared distances in units of their noise."""
    # A window in which a reference begins is a stump: it would merge all bins into one.
    half = float(np.median([int(block.sum()) for block in blocks])) / 2 if blocks else 0.0
    blocks = [block for block in blocks if int(block.sum()) >= half]
    if len(blocks) < LEAST_BLOCKS:
        return None
    whole = np.sum(blocks, axis=0)
    smallest = min(int(block.sum()) for block in blocks)
    groups = merge_rare(whole, smallest)
    total = regroup(whole, groups)
    statistics = []
    for block in blocks:
        own = regroup(block, groups)
        rest = total - own
        statistics.append(squared(rest, own))
    # The window in which a drift begins may be among them: one block must not turn the fit.
    bounded = np.minimum(statistics, OUTLYING * float(np.median(statistics)))
    mean, variance = float(np.mean(bounded)), float(np.var(bounded))
    if mean <= 0 or variance <= 0:
        return None
    return mean * mean / variance, variance / mean


def merge_rare(reference: Counts, n: int) -> NDArray[np.intp]:
    """Group of each bin, so that a window of ``n`` expects enough in every group.

    Chi-square holds for groups of expected count 5 and more. Bins that the reference never saw are
    one group of their own: merged with a neighbour, what is entirely new would not show.

    >>> merge_rare(np.array([1, 50, 50, 0, 2]), 100).tolist()
    [0, 0, 1, 2, 1]
    """
    expected = reference * (n / max(int(reference.sum()), 1))
    groups = np.zeros(len(expected), dtype=np.intp)
    seen = np.flatnonzero(reference)
    group, filled = 0, 0.0
    places = []
    for value in expected[seen].tolist():
        if filled >= SMALLEST_EXPECTED:
            group, filled = group + 1, 0.0
        places.append(group)
        filled += value
    if filled < SMALLEST_EXPECTED and group:
        group -= 1
    groups[seen] = np.minimum(places, group) if places else 0
    groups[reference == 0] = group + 1
    return groups


def regroup(counts: Counts, groups: NDArray[np.intp]) -> Counts:
    """Counts per group."""
    return np.bincount(groups, weights=counts, minlength=int(groups.max()) + 1).astype(np.int64)
