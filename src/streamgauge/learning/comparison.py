"""What is known of two models that were scored on the same events."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.learning.always_valid import AlwaysValidTest
from streamgauge.learning.carried import carried
from streamgauge.learning.paired import clipped_losses

Floats = NDArray[np.float64]


class Comparison:
    """The test of the differences, both models' mean losses, and which labels they are from.

    Parameters
    ----------
    loss_bound
        Losses are clipped to this and divided by it.
    """

    __slots__ = ("_sums", "first_label", "last_label", "loss_bound", "test")

    def __init__(self, loss_bound: float) -> None:
        self.loss_bound = loss_bound
        self.test = AlwaysValidTest()
        #: Clipped losses of the champion and of the challenger, as shares of the bound.
        self._sums = [0.0, 0.0]
        self.first_label: float | None = None
        self.last_label: float | None = None

    def add(self, times: Floats, champion_losses: Floats, challenger_losses: Floats) -> None:
        """Take events in order, at least one: log times that do not fall, and shares of the bound.

        ``clipped_losses`` makes losses into shares.
        """
        self.test.update_many(champion_losses - challenger_losses)
        self._sums[0] = carried(self._sums[0], champion_losses)
        self._sums[1] = carried(self._sums[1], challenger_losses)
        self._seen(float(times[0]))
        self.last_label = float(times[-1])

    def add_one(self, time: float, champion_loss: float, challenger_loss: float) -> None:
        """Take one event with losses in their own unit: the same bytes, in 2 µs instead of 50."""
        if not (math.isfinite(champion_loss) and math.isfinite(challenger_loss)):
            clipped_losses(np.array([champion_loss, challenger_loss]), self.loss_bound)
        bound = self.loss_bound
        old = min(max(champion_loss, 0.0), bound) / bound
        new = min(max(challenger_loss, 0.0), bound) / bound
        self.test.update(old - new)
        self._sums[0] += old
        self._sums[1] += new
        self._seen(time)

    def _seen(self, time: float) -> None:
        if self.first_label is None:
            self.first_label = time
        self.last_label = time

    def evidence(self, alpha: float) -> dict[str, Any]:
        """Plain values; ``Decision`` says what they are. Without labels there are no losses."""
        test = self.test
        lower, upper = test.bounds(alpha)
        found: dict[str, Any] = {
            "decided": test.decided(alpha),
            "e_value": test.e_value,
            "e_value_worse": test.e_value_worse,
            "lower": lower,
            "upper": upper,
            "labels": test.n,
            "rounds": test.rounds,
            "loss_bound": self.loss_bound,
        }
        if test.n:
            found["advantage"] = test.mean
            found["champion_loss"] = self.loss_bound * self._sums[0] / test.n
            found["challenger_loss"] = self.loss_bound * self._sums[1] / test.n
            found["first_label"], found["last_label"] = self.first_label, self.last_label
        return found

    def state(self) -> list[Any]:
        return [self.loss_bound, self.test.state(), *self._sums, self.first_label, self.last_label]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(state[0])
        made.test = AlwaysValidTest.from_state(state[1])
        made._sums = [state[2], state[3]]
        made.first_label, made.last_label = state[4], state[5]
        return made
