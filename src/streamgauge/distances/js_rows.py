"""Jensen-Shannon of many references at once: to the bit what each of them gives alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from streamgauge.distances.base import Counts, chi_square_quantile
from streamgauge.distances.js import EIGHT_NATS, TWICE_A_BIT

Floats = NDArray[np.float64]


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
        lengths = [len(each) for each in references]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        ordered = [references[row] for row in order]
        self._sizes = np.array([len(each) for each in ordered])
        ends = np.cumsum(self._sizes)
        #: Bins of all references together.
        self.size = int(ends[-1])
        #: Row of each reference among those ordered by length, and the other way round.
        self._order, self._back = np.array(order), np.argsort(order)
        #: Where the bins of each reference lie in the flat histogram that is measured.
        self.starts: list[int] = (ends - self._sizes)[self._back].tolist()
        self._counts = np.concatenate(ordered)
        self._totals = np.array([int(each.sum()) for each in ordered])
        self._rows = np.repeat(np.arange(len(order)), self._sizes)
        self._last = ends - 1
        self._shares = self._counts / self._totals[self._rows]
        #: Rows and bins of the references of one length, and how many they are.
        self._blocks: list[tuple[slice, slice, int]] = []
        row = start = 0
        for size in sorted(set(lengths)):
            rows = lengths.count(size)
            bins = slice(start, start + rows * size)
            self._blocks.append((slice(row, row + rows), bins, rows))
            row, start = row + rows, bins.stop
        self._asked: tuple[float, Floats, Floats] | None = None

    @staticmethod
    def fits(reference: Counts) -> bool:
        """Whether a reference may be among them."""
        return bool(reference[:-1].all() and reference.any())

    def measure(self, current: Counts, totals: Sequence[int], *, alpha: float) -> list[Measured]:
        """Measure histograms, in the order of the references.

        ``current`` (size,) holds them at ``starts``, ``totals`` their sums, none of them 0.
        """
        before, own = self._totals, np.array(totals)[self._order]
        shares, parts = np.empty((2, self.size)), np.empty((3, self.size))
        shares[0] = self._shares
        np.divide(current, own[self._rows], out=shares[1])
        rel_entr(shares, (shares[0] + shares[1]) / 2, out=parts[:2])
        both = self._counts + current
        # What ``small_sample`` takes the mean of.
        expected = both * (np.minimum(before, own) / (before + own))[self._rows]
        np.divide(1.0, np.maximum(expected, 1.0), out=parts[2])
        nats, nats_of_own, rare = self._sums(parts)
        seen, (quantile, quantile_less) = self._sizes, self._quantiles(alpha)
        empty = both[self._last] == 0
        if empty.any():
            # An empty bin has no part in the mean, and gives no degree of freedom.
            seen, quantile = seen - empty, np.where(empty, quantile_less, quantile)
            rare = np.where(empty, self._sums_but_last(parts[2]), rare)
        noise = 1.0 / before + 1.0 / own
        value = np.sqrt(np.minimum(np.maximum((nats + nats_of_own) / TWICE_A_BIT, 0.0), 1.0))
        chance = np.sqrt(quantile * (1.0 + rare / seen) * (noise / EIGHT_NATS))
        found = (value, np.minimum(chance, 1.0), noise)
        return list(map(Measured, *(each[self._back].tolist() for each in found)))

    def _quantiles(self, alpha: float) -> tuple[Floats, Floats]:
        """Of chi-square, by reference: with its last bin, and without it."""
        if self._asked is None or self._asked[0] != alpha:
            whole, less = (
                np.array(
                    [chi_square_quantile(alpha, max(n - lost, 1)) for n in self._sizes.tolist()]
                )
                for lost in (1, 2)
            )
            self._asked = (alpha, whole, less)
        return self._asked[1:]

    def _sums(self, parts: Floats) -> Floats:
        """Sums by reference of flat rows, (rows, size): shape (rows, references)."""
        found = np.empty((len(parts), len(self._sizes)))
        for own, bins, rows in self._blocks:
            block = parts[:, bins].reshape(len(parts), rows, -1)
            np.add.reduce(block, axis=2, out=found[:, own])
        return found

    def _sums_but_last(self, part: Floats) -> Floats:
        """Sums of one flat row, (size,), but for the last bin of each reference."""
        found = np.empty(len(self._sizes))
        for own, bins, rows in self._blocks:
            np.add.reduce(part[bins].reshape(rows, -1)[:, :-1], axis=1, out=found[own])
        return found
