"""How good the probabilities of a binary classifier are: log loss, Brier score, ROC AUC."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.score_ranking import precision_figures, roc_figures
from streamgauge.metrics.sums import (
    carried,
    compact,
    effective,
    left,
    only_ratios,
    row_weights,
    same_rows,
)

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]

#: Distinct probabilities that are kept as they are, ten bytes each; beyond that there are bins.
MOST_EXACT = 512
#: Bins at most, six bytes each or less.
MOST_BINS = 2048
#: Low bits that a bin lacks at least: a key then fits in four bytes.
LEAST_DROPPED = 40
#: Bins are of even width between this and one minus it, before they get narrow: a power of two.
EVEN = 2.0**-5
#: Where scikit-learn clips a probability before its logarithm.
CLIP = float(np.finfo(np.float64).eps)


class BinaryScores(Metric, name="binary_scores"):
    """Sums of losses, and weights of both classes by probability.

    Up to 512 distinct probabilities are kept as they are: figures of small windows, and of models
    that say few different things, are exact. Beyond, as many low bits of each are dropped as it
    takes to have no more than 2,048 bins. So the bins are narrow where the scores are, and narrower
    still near 0 and 1, where a rare event's scores differ by factors. How many bits are dropped
    depends on the set of values alone, never on their order.

    All of a bin count as ties. ``roc_auc_error`` and ``average_precision_error`` bound what that
    can cost: the figure of the rows themselves is never farther off.

    Figures: ``log_loss`` (clipped as in scikit-learn), ``brier`` (0..1), and where both classes
    occur ``roc_auc``, ``average_precision`` and their bounds.

    Examples
    --------
    >>> import numpy as np
    >>> b = BinaryScores()
    >>> b.update(np.array([0.9, 0.6, 0.4, 0.1]), np.array([True, False, True, False]))
    >>> figures = b.get()
    >>> figures["roc_auc"], figures["roc_auc_error"], round(figures["brier"], 4)
    (0.75, 0.0, 0.185)

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78(1), 1-3.
    Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver
    operating characteristic (ROC) curve. Radiology 143(1), 29-36.
    """

    __slots__ = ("_dropped", "_keys", "_losses", "_negative", "_positive", "_squared", "_squares")

    def __init__(self) -> None:
        #: Low bits that the keys lack; 0 while every probability is kept as it is.
        self._dropped = 0
        self._keys: Keys = np.zeros(0, dtype=np.int64)
        self._positive: Floats = np.zeros(0)
        self._negative: Floats = np.zeros(0)
        self._losses = self._squared = self._squares = 0.0

    @property
    def n(self) -> float:
        """The sum of weights."""
        return float(self._positive.sum() + self._negative.sum())

    @property
    def effective_n(self) -> float:
        """Events of equal weight that are worth as much: what intervals are made of."""
        return effective(self.n, self._squares)

    def update(
        self, probability: Floats, truth: NDArray[np.bool_], weights: Floats | None = None
    ) -> None:
        """Take probabilities of the positive class, whether it was true, and weights, (n,) each.

        Raises ``ValueError`` for probabilities outside 0..1, columns that differ in length, and
        weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(probability=probability, truth=truth))
        only_ratios(probability=probability)
        seen = weight > 0
        if not seen.all():
            # A row without weight must leave no trace, in the distinct values neither.
            probability, truth, weight = probability[seen], truth[seen], weight[seen]
        if not len(probability):
            return
        said = np.where(truth, probability, 1.0 - probability)
        self._losses = carried(self._losses, -np.log(np.clip(said, CLIP, 1.0 - CLIP)) * weight)
        self._squared = carried(self._squared, (1.0 - said) ** 2 * weight)
        self._squares = carried(self._squares, weight * weight)
        keys = _keys(probability)
        while len(keys):
            rows = self._room(keys >> self._dropped)
            self._add(keys[:rows] >> self._dropped, truth[:rows], weight[:rows])
            keys, truth, weight = keys[rows:], truth[rows:], weight[rows:]
            if len(keys):
                self._drop(self._enough(np.union1d(self._keys, keys[:1] >> self._dropped)))

    def _room(self, keys: Keys) -> int:
        """Return how many rows can be taken before there are too many keys.

        By the row: from there on weights are added up in another order.
        """
        if len(keys) + len(self._keys) <= MOST_EXACT or self._held(keys)[1]:
            return len(keys)
        distinct, first = np.unique(keys, return_index=True)
        new = np.sort(first[~np.isin(distinct, self._keys, assume_unique=True)])
        room = (MOST_BINS if self._dropped else MOST_EXACT) - len(self._keys)
        return len(keys) if len(new) <= room else int(new[room])

    def _held(self, keys: Keys) -> tuple[NDArray[np.intp], bool]:
        """Return the places (n,) of keys, and whether all of them are there."""
        if not len(self._keys):
            return np.zeros(len(keys), dtype=np.intp), not len(keys)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return places, bool((self._keys[places] == keys).all())

    def _add(self, keys: Keys, truth: NDArray[np.bool_], weight: Floats) -> None:
        places, known = self._held(keys)
        if not known:
            held = np.union1d(self._keys, keys)
            self._lay(held, np.searchsorted(held, self._keys))
            places = np.searchsorted(self._keys, keys)
        # In the order of rows, from what is there.
        np.add.at(self._positive, places[truth], weight[truth])
        np.add.at(self._negative, places[~truth], weight[~truth])

    def _enough(self, keys: Keys) -> int:
        """Return how many more low bits sorted keys must lose until there are few enough."""
        bits = 0
        if not self._dropped:
            if len(keys) <= MOST_EXACT:
                return 0
            bits = LEAST_DROPPED
        while len(keys) > MOST_BINS and np.count_nonzero(np.diff(keys >> bits)) >= MOST_BINS:
            bits += 1
        return bits

    def _drop(self, bits: int) -> None:
        if bits:
            held, places = np.unique(self._keys >> bits, return_inverse=True)
            self._lay(held, places)
            self._dropped += bits

    def _lay(self, keys: Keys, places: NDArray[np.intp]) -> None:
        """Bring the weights to their places among other keys."""
        positive, negative = np.zeros(len(keys)), np.zeros(len(keys))
        np.add.at(positive, places, self._positive)
        np.add.at(negative, places, self._negative)
        self._keys, self._positive, self._negative = keys, positive, negative

    def merge(self, other: Self) -> None:
        self._combine(other, 1.0)

    def take_out(self, other: Self) -> None:
        by = self._dropped - other._dropped
        places, known = self._held(other._keys >> by) if by >= 0 else (np.zeros(0, int), False)
        if not known or len(np.unique(places)) < len(places):
            self._combine(other, -1.0)
            return
        # The way of one corrected label: nothing is laid anew.
        self._positive[places] = left(self._positive[places], other._positive)
        self._negative[places] = left(self._negative[places], other._negative)
        self._losses -= other._losses
        self._squared -= other._squared
        self._squares -= other._squares

    def _combine(self, other: Self, sign: float) -> None:
        added = self.from_state(other.state())
        dropped = max(self._dropped, added._dropped)
        for each in (self, added):
            each._drop(dropped - each._dropped)
        more = self._enough(np.union1d(self._keys, added._keys))
        for each in (self, added):
            each._drop(more)
        held = np.union1d(self._keys, added._keys)
        for each in (self, added):
            each._lay(held, np.searchsorted(held, each._keys))
        self._positive = left(self._positive, -sign * added._positive)
        self._negative = left(self._negative, -sign * added._negative)
        self._losses += sign * added._losses
        self._squared += sign * added._squared
        self._squares += sign * added._squares

    def state(self) -> list[Any]:
        # Distances from the first key take fewer bytes than the keys; of whole keys they could
        # be too large for an integer.
        first = int(self._keys[0]) if self._dropped else 0
        weights = [compact(self._positive), compact(self._negative)]
        sums = [self._losses, self._squared, self._squares]
        return [self._dropped, first, self._keys - first, *weights, *sums]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._dropped, first, keys, positive, negative, *sums = state
        made._keys = keys + first
        made._positive, made._negative = positive.astype(np.float64), negative.astype(np.float64)
        made._losses, made._squared, made._squares = sums
        return made

    def get(self) -> dict[str, float]:
        n = self.n
        if not n:
            return {}
        figures = {"n": n, "log_loss": self._losses / n, "brier": self._squared / n}
        if self._positive.any() and self._negative.any():
            figures |= roc_figures(self._positive, self._negative, exact=not self._dropped)
            figures |= precision_figures(self._positive, self._negative, exact=not self._dropped)
        return figures


def _keys(probability: Floats) -> Keys:
    """Return whole numbers in the order of the probabilities, that lose precision by low bits.

    They grow with the distance from one half to the nearer of 0 and 1: evenly at first, and beyond
    ``EVEN`` by as much for each halving, as the bits of a float do. No two probabilities share one.
    """
    upper = probability > 0.5
    # One minus what is above a half is exact. Plus 0.0 makes one of the two zeros.
    nearer = np.where(upper, 1.0 - probability, probability + 0.0)
    edge = np.float64(EVEN)
    # The slope of the bits below the edge, a power of two, so that there is no rounding.
    slope = 2.0**53 / EVEN
    bits = np.minimum(nearer, edge).view(np.int64)
    bits += (np.maximum(nearer - edge, 0.0) * slope).astype(np.int64)
    middle = int(edge.view(np.int64)) + int((0.5 - EVEN) * slope)
    return np.where(upper, middle - bits, bits - middle)
