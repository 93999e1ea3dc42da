"""Evidence that grows with a sum and shrinks with its squares, averaged over betting rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

#: Halvings of an interval; more than a float can tell apart.
HALVINGS = 64


class Mixture:
    """The average over rates r of exp(r * total - cost(r) * squares), as a logarithm.

    One rate is best for one size of effect. The average over a grid is nearly as good for each of
    them, at a price of at most log(number of rates). The rates are fixed before the first value:
    that is what keeps the evidence valid when only the *average* of the past is no win.

    Parameters
    ----------
    rates
        Positive numbers: how much is bet.
    cost
        What a unit of squares costs at a rate.

    References
    ----------
    Howard, S. R., Ramdas, A., McAuliffe, J. and Sekhon, J. (2021). Time-uniform, nonparametric,
    nonasymptotic confidence sequences. Annals of Statistics 49(2), 1055-1080 (mixtures).
    """

    __slots__ = ("_price", "_terms")

    def __init__(self, rates: Sequence[float], cost: Callable[[float], float]) -> None:
        self._terms = tuple((rate, cost(rate)) for rate in rates)
        self._price = math.log(len(rates))

    def log_evidence(self, total: float, squares: float) -> float:
        """The logarithm of the evidence that the sum is no chance: 0.0 for no values."""
        logs = [rate * total - cost * squares for rate, cost in self._terms]
        largest = max(logs)
        # About 3 µs. Exponents are taken below the largest, so that nothing overflows.
        return largest + math.log(sum([math.exp(log - largest) for log in logs])) - self._price

    def reach(self, squares: float, log_evidence: float) -> float:
        """The sum at which the evidence is as large as that; ``log_evidence`` is positive."""
        low = 0.0
        high = min((log_evidence + self._price + cost * squares) / r for r, cost in self._terms)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self.log_evidence(middle, squares) < log_evidence:
                low = middle
            else:
                high = middle
        return high
