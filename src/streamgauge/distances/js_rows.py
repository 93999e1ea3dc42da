"""Jensen-Shannon of many references at once: to the bit what each of them gives alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from streamgauge.distances.base import Counts, chi_square_quantile
from streamgauge.distances.js import EIGHT_NATS, TWICE_A_BIT


class Measured(NamedTuple):
    """A distance, what chance alone reaches, and the noise of both sides' sizes."""

    value: float
    chance: float
    noise: float


class JensenShannonRows:
    """References side by side, each held against a histogram of its own.

    A window has a dozen targets or a thousand, and numpy's price is that of its calls. References
    of one length lie together, because only sums over the same length round alike.

    Parameters
    ----------
    references
        Counts, each of its own shape (bins,). Only the last bin may be empty, see ``fits``.

    Examples
    --------
    >>> rows = JensenShannonRows([np.array([50, 50]), np.array([10, 0])])
    >>> found = rows.measure(np.array([100, 0, 0, 10]), [100, 10], alpha=0.01)
    >>> [round(each.value, 4) for each in found]
    [0.5579, 1.0]
    """

    def __init__(self, references: Sequence[Counts]) -> None:
        sizes = [len(each) for each in references]
        self._order = sorted(range(len(sizes)), key=lambda row: sizes[row])
        ends = [*accumulate(sizes[row] for row in self._order)]
        starts = dict(zip(self._order, [0, *ends], strict=False))
        #: Where the bins of each reference lie in the flat histogram that is measured.
        self.starts = [starts[row] for row in range(len(sizes))]
        self.size = ends[-1]
        ordered = [references[row] for row in self._order]
        self._counts = np.concatenate(ordered)
        self._totals = [int(each.sum()) for each in ordered]
        self._sizes = [sizes[row] for row in self._order]
        self._rows = np.repeat(np.arange(len(sizes)), self._sizes)
        self._last = np.array(ends) - 1
        self._shares = self._counts / np.array(self._totals)[self._rows]
        #: First bin, bin behind the last, and rows of the references of one length.
        self._blocks: list[tuple[int, int, int]] = []
        for size in sorted(set(sizes)):
            start = self._blocks[-1][1] if self._blocks else 0
            rows = sizes.count(size)
            self._blocks.append((start, start + rows * size, rows))

    @staticmethod
    def fits(reference: Counts) -> bool:
        """Whether a reference may be among them."""
        return bool(reference[:-1].all() and reference.any())

    def measure(self, current: Counts, totals: Sequence[int], *, alpha: float) -> list[Measured]:
        """Measure histograms, in the order of the references.

        ``current`` (size,) holds them at ``starts``, ``totals`` their sums, none of them 0.
        """
        own = [totals[row] for row in self._order]
        parts = np.empty((3, self.size))
        shares = np.empty((2, self.size))
        shares[0] = self._shares
        np.divide(current, np.array(own)[self._rows], out=shares[1])
        middle = (shares[0] + shares[1]) / 2
        rel_entr(shares, middle, out=parts[:2])
        both = self._counts + current
        # What ``small_sample`` takes the mean of.
        stretch = [min(n, m) / (n + m) for n, m in zip(self._totals, own, strict=True)]
        expected = both * np.array(stretch)[self._rows]
        np.divide(1.0, np.maximum(expected, 1.0), out=parts[2])
        before, after, rare = self._sums(parts)
        full = both[self._last].tolist()
        if not all(full):
            # An empty bin has no part in the mean.
            whole = rare
            rare = self._sums_but_last(parts[2])
            rare = [w if seen else r for w, r, seen in zip(whole, rare, full, strict=True)]
        made: dict[int, Measured] = {}
        for i, row in enumerate(self._order):
            nats = before[i] + after[i]
            seen = self._sizes[i] if full[i] else self._sizes[i] - 1
            noise = 1.0 / self._totals[i] + 1.0 / own[i]
            quantile = chi_square_quantile(alpha, max(seen - 1, 1)) * (1.0 + rare[i] / seen)
            made[row] = Measured(
                math.sqrt(min(max(nats / TWICE_A_BIT, 0.0), 1.0)),
                min(math.sqrt(quantile * (noise / EIGHT_NATS)), 1.0),
                noise,
            )
        return [made[row] for row in range(len(own))]

    def _sums(self, parts: NDArray[np.float64]) -> list[list[float]]:
        """Sums by reference of several flat rows."""
        found: list[list[float]] = [[] for _ in parts]
        for start, end, rows in self._blocks:
            block = parts[:, start:end].reshape(len(parts), rows, -1)
            for sums, more in zip(found, np.add.reduce(block, axis=2).tolist(), strict=True):
                sums += more
        return found

    def _sums_but_last(self, part: NDArray[np.float64]) -> list[float]:
        found: list[float] = []
        for start, end, rows in self._blocks:
            block = part[start:end].reshape(rows, -1)[:, :-1]
            found += np.add.reduce(block, axis=1).tolist()
        return found
