"""Whether a model that says 80 % is right in 80 %."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.calibration_null import null_quantile
from streamgauge.metrics.sums import compact, effective, left, only_ratios, row_weights, same_rows

Floats = NDArray[np.float64]

#: Bins of equal width over 0..1; a value on an edge belongs to the lower one.
BINS = 15
_EDGES = np.linspace(0.0, 1.0, BINS + 1)


class ReliabilityBin(NamedTuple):
    """One bin of a reliability diagram: from ``lower``, exclusive, to ``upper``."""

    lower: float
    upper: float
    #: The sum of weights.
    n: float
    confidence: float
    accuracy: float


class Reliability(Metric, name="reliability"):
    """Mean confidence and accuracy in 15 bins of confidence, and how far they part.

    ``ece`` is the mean gap over events, ``mce`` the largest gap of a bin. A perfectly calibrated
    model has not 0: of 100 events ``ece`` is about 0.12. Judge it by ``ece_threshold``, which
    knows the scores of this very window; ``mce`` is for the eye, one event can make it large.

    Examples
    --------
    >>> import numpy as np
    >>> r = Reliability()
    >>> r.update(np.array([0.8, 0.8, 0.8, 0.8]), np.array([True, True, True, False]))
    >>> round(r.get()["ece"], 3), round(r.ece_threshold(0.01), 2)
    (0.05, 0.55)

    References
    ----------
    Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015). Obtaining well calibrated probabilities
    using Bayesian binning. AAAI 29, 2901-2907.
    Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML, PMLR 70, 1321-1330.
    """

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        #: By bin: weight, its square, confidence and correctness times weight.
        self._sums: Floats = np.zeros((4, BINS))

    @property
    def n(self) -> float:
        """The sum of weights."""
        return float(self._sums[0].sum())

    @property
    def effective_n(self) -> float:
        """Events of equal weight that are worth as much: what intervals are made of."""
        return effective(self.n, float(self._sums[1].sum()))

    def update(
        self, confidence: Floats, correct: NDArray[np.bool_], weights: Floats | None = None
    ) -> None:
        """Take confidences in 0..1, whether each was right, and weights, (n,) each.

        Of a binary model that may be the probability of one class, and whether it was true.
        Raises ``ValueError`` for confidences outside 0..1, columns that differ in length, and
        weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(confidence=confidence, correct=correct))
        only_ratios(confidence=confidence)
        bins = np.searchsorted(_EDGES[1:-1], confidence)
        # In the order of rows, from what is there: ``bincount`` would begin at zero.
        for row, terms in enumerate((weight, weight * weight, weight * confidence)):
            np.add.at(self._sums[row], bins, terms)
        np.add.at(self._sums[3], bins[correct], weight[correct])

    def merge(self, other: Self) -> None:
        self._sums += other._sums

    def take_out(self, other: Self) -> None:
        weights = left(self._sums[0], other._sums[0])
        self._sums -= other._sums
        self._sums[0] = weights
        self._sums[:, weights == 0.0] = 0.0

    def state(self) -> list[Any]:
        held = np.flatnonzero(self._sums[0])
        return [held, *(compact(row) for row in self._sums[:, held])]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._sums[:, state[0]] = np.stack(state[1:])
        return made

    def bins(self) -> list[ReliabilityBin]:
        """Return the bins that hold something, in the order of confidence."""
        found = []
        for place in np.flatnonzero(self._sums[0]):
            n, _, confidence, correct = self._sums[:, place].tolist()
            edges = float(_EDGES[place]), float(_EDGES[place + 1])
            # Rounding can leave the range by a last digit.
            means = (min(part / n, 1.0) for part in (confidence, correct))
            found.append(ReliabilityBin(*edges, n, *means))
        return found

    def ece_threshold(self, alpha: float) -> float | None:
        """Return what the ECE of a perfectly calibrated model exceeds with chance ``alpha``.

        With as many events of these confidences in each bin. None of an empty window. Raises
        ``ValueError`` for an ``alpha`` outside 0..1.
        """
        held = self._sums[:, self._sums[0] > 0]
        if not held.size:
            return None
        weight, squares, confidence, _ = held
        return null_quantile(
            share=weight / weight.sum(),
            events=weight * weight / squares,
            mean=np.minimum(confidence / weight, 1.0),
            alpha=alpha,
        )

    def get(self) -> dict[str, float]:
        bins = self.bins()
        if not bins:
            return {}
        n = math.fsum(each.n for each in bins)
        gaps = [abs(each.accuracy - each.confidence) for each in bins]
        ece = math.fsum(each.n * gap for each, gap in zip(bins, gaps, strict=True)) / n
        return {"n": n, "ece": ece, "mce": max(gaps)}
