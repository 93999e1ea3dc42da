"""What a window's predictions were worth, by a price for each way of being right or wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping

from streamgauge.metrics.confusion import MOST_CLASSES, Confusion


class OutcomeValue:
    """A value per (predicted, true) pair of classes; costs are negative.

    Parameters
    ----------
    values
        By (predicted, truth), as codes of the confusion's table, in any unit.
    otherwise
        The value of the pairs that are not named.

    Raises
    ------
    ValueError
        Where a code is outside 0..99, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> fraud = OutcomeValue({(1, 1): 100.0, (1, 0): -5.0, (0, 1): -100.0})
    >>> c = Confusion()
    >>> c.update(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1]))
    >>> fraud.of(c)
    {'value_total': -5.0, 'value_mean': -1.25}

    References
    ----------
    Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI 17, 973-978.
    """

    __slots__ = ("otherwise", "values")

    def __init__(self, values: Mapping[tuple[int, int], float], *, otherwise: float = 0.0) -> None:
        for pair, value in values.items():
            if not math.isfinite(value):
                raise ValueError(f"the value of {pair} is {value!r}: give a finite number")
            if not all(0 <= code < MOST_CLASSES for code in pair):
                raise ValueError(f"the pair {pair} has a code outside 0..{MOST_CLASSES - 1}")
        if not math.isfinite(otherwise):
            raise ValueError(f"the value of all other pairs is {otherwise!r}: give a finite number")
        self.values = dict(values)
        self.otherwise = otherwise

    def of(self, confusion: Confusion) -> dict[str, float]:
        """Return the total value of the counted events and the mean of one; empty of none."""
        pairs = confusion.pairs()
        n = math.fsum(pairs.values())
        if not n:
            return {}
        total = math.fsum(
            self.values.get(pair, self.otherwise) * count for pair, count in pairs.items()
        )
        figures = {"value_total": total, "value_mean": total / n}
        return {name: value for name, value in figures.items() if math.isfinite(value)}
