"""Rare classes and hard examples: how often an example is learned.

River's samplers learn a rare example as often as it takes to even the classes out, which may be a
million times after a million others, and they fail on a class that nobody named. These are bounded,
and take classes as they come.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from streamgauge.pipelines.scaling import Row

#: Most times that one example is learned.
MOST_COPIES = 20
#: Hard examples that are kept, and how often one of them is learned again instead of the new one.
KEPT, AGAIN = 50, 0.2

Example = tuple[Row, Any]
#: The estimator's error on an example, 0 where it is right.
Loss = Callable[[Row, Any], float]


class Sampler:
    """Decides what to learn when an example comes.

    Parameters
    ----------
    kind
        ``under_sampling`` leaves out examples of classes that are too frequent, ``over_sampling``
        repeats those of classes that are too rare, ``hard_sampling`` learns again what the model
        got most wrong.
    desired
        Shares of the classes by code; a class without one counts as much as the rarest of them.
        Empty means equal shares.
    seed
        Of the sampler's own random numbers.
    """

    def __init__(self, kind: str, *, desired: Mapping[int, float], seed: int) -> None:
        self.kind = kind
        self._desired = dict(desired)
        self._least = min(desired.values(), default=1.0)
        self._counts: dict[int, int] = {}
        self._kept: list[tuple[float, Row, Any]] = []
        self._rng = random.Random(seed)

    def sample(self, row: Row, truth: Any, loss: Loss) -> list[Example]:
        """What is to be learned now, in order."""
        if self.kind == "hard_sampling":
            return [self._hard(row, truth, loss)]
        self._counts[truth] = self._counts.get(truth, 0) + 1
        wanted = {c: self._desired.get(c, self._least) / n for c, n in self._counts.items()}
        if self.kind == "under_sampling":
            return [(row, truth)] * (self._rng.random() < wanted[truth] / max(wanted.values()))
        rate = min(wanted[truth] / min(wanted.values()), MOST_COPIES)
        copies = int(rate) + (self._rng.random() < rate - int(rate))
        return [(row, truth)] * copies

    def _hard(self, row: Row, truth: Any, loss: Loss) -> Example:
        self._kept.append((loss(row, truth), row, truth))
        if len(self._kept) > KEPT:
            easiest = min(range(len(self._kept)), key=lambda i: self._kept[i][0])
            del self._kept[easiest]
        if self._rng.random() >= AGAIN:
            return row, truth
        place = self._rng.randrange(len(self._kept))
        _, old, label = self._kept[place]
        # Its error now, so that what was learned in the meantime makes room.
        self._kept[place] = (loss(old, label), old, label)
        return old, label

    def state(self) -> list[Any]:
        kept = [list(each) for each in self._kept]
        random_state = self._rng.getstate()
        return [
            IMBALANCES.index(self.kind),
            self._desired,
            self._counts,
            kept,
            list(random_state[1]),
            random_state[2],
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Sampler:
        made = cls(IMBALANCES[state[0]], desired=state[1], seed=0)
        made._counts = state[2]
        made._kept = [(loss, row, truth) for loss, row, truth in state[3]]
        made._rng.setstate((random.Random.VERSION, tuple(state[4]), state[5]))
        return made


IMBALANCES = ("none", "under_sampling", "over_sampling", "hard_sampling")
