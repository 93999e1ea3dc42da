"""Scores that users computed themselves, by their names."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.spread import Spread
from streamgauge.metrics.sums import only_finite, row_weights, same_rows

Floats = NDArray[np.float64]

#: Names that are kept.
MOST_NAMES = 50


class NamedScore(NamedTuple):
    """What is known of one score: its weight, the rows that had it, and their values."""

    n: float
    events: int
    mean: float
    std: float
    min: float
    max: float


class NamedScores(Metric, name="named_scores"):
    """Weight, mean, standard deviation and extremes per name, of what a label's ``scores`` hold.

    Of more than fifty names the first fifty in alphabetical order are kept, the rows of the others
    are counted in ``others``. Which are kept then hangs neither on the order of events nor on how
    shards are added up, and what is kept is complete.

    ``get`` returns the means by name.

    Examples
    --------
    >>> import numpy as np
    >>> s = NamedScores()
    >>> s.update("ndcg", np.array([0.7, 0.9]))
    >>> s.update("wer", np.array([0.12]))
    >>> s.get(), s.score("ndcg").events
    ({'ndcg': 0.8, 'wer': 0.12}, 2)
    """

    __slots__ = ("_spreads", "others")

    def __init__(self) -> None:
        self._spreads: dict[str, Spread] = {}
        #: Rows whose name has no place.
        self.others = 0

    def kept(self) -> list[str]:
        """The names that are kept, sorted."""
        return sorted(self._spreads)

    def score(self, name: str) -> NamedScore | None:
        """Return what is known of that score; None where it never came."""
        found = self._spreads.get(name)
        if found is None:
            return None
        mean = min(max(found.mean, found.smallest), found.largest)
        extremes = found.smallest, found.largest
        return NamedScore(found.n, found.events, mean, found.std, *extremes)

    def update(self, name: str, values: Floats, weights: Floats | None = None) -> None:
        """Take the values of one score, and their weights, (n,) each, of the rows that have it.

        Raises ``ValueError`` for values that are not finite, columns that differ in length, and
        weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(values=values))
        only_finite(values=values)
        added = (
            Spread.from_state(self._spreads[name].state()) if name in self._spreads else Spread()
        )
        added.update(values, weight)
        self._keep({name: added})

    def _keep(self, spreads: dict[str, Spread]) -> None:
        self._spreads |= {name: each for name, each in spreads.items() if each.events}
        if len(self._spreads) > MOST_NAMES:
            for name in sorted(self._spreads)[MOST_NAMES:]:
                self.others += self._spreads.pop(name).events

    def merge(self, other: Self) -> None:
        spreads = {}
        for name, theirs in other._spreads.items():
            spreads[name] = Spread()
            if name in self._spreads:
                spreads[name].merge(self._spreads[name])
            spreads[name].merge(theirs)
        self.others += other.others
        self._keep(spreads)

    def take_out(self, other: Self) -> None:
        for name, theirs in other._spreads.items():
            known = self._spreads.get(name)
            if known is None:
                self.others -= theirs.events
                continue
            known.take_out(theirs)
            if not known.events:
                del self._spreads[name]
        self.others -= other.others

    def state(self) -> list[Any]:
        return [self.others, *([name, *self._spreads[name].state()] for name in self.kept())]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.others = state[0]
        made._spreads = {name: Spread.from_state(rest) for name, *rest in state[1:]}
        return made

    def get(self) -> dict[str, float]:
        scores = {name: self.score(name) for name in self.kept()}
        return {
            name: each.mean for name, each in scores.items() if each and math.isfinite(each.mean)
        }
