"""Whether what a champion has learned since may take the place of its snapshot that serves."""

from __future__ import annotations

import math
from typing import Any

#: Labels between two closings of a gate that closes without a cause, at least, on average.
PATIENCE = 500
#: What is no worsening: half a point of accuracy, as a share of the loss bound.
MARGIN = 0.005
#: Shares that are bet, and what a unit of squares costs at each: see ``AlwaysValidTest``.
_BETS = tuple((rate, -math.log1p(-rate) - rate) for rate in (0.5, 0.25, 0.125, 0.0625))
_CLOSE = math.log(PATIENCE)
#: Little evidence: a closed gate opens.
_OPEN = 2.0
#: Evidence is kept up to this, so that a gate opens again as soon as it closed.
_MOST = 1.5 * _CLOSE


class Gate:
    """Watches the answers of a pipeline that learns beside those that its snapshot gives.

    The pipeline is asked before it learns, so its answers are those of a newer snapshot. Once they
    are worse than the served ones, on the same labels, no newer snapshot is fit to serve: the one
    that serves stays, and its metric cannot follow what poisons the learner. When the newer ones
    are no worse again, the gate opens.

    For each bet r the evidence of one label multiplies by exp(r x - psi(r) x²), at most 1 in
    expectation where the newer answers are no worse than by ``MARGIN`` given the past; it is never
    taken below 1, so that what was good before pays for nothing. The average over bets is an
    e-detector: a gate closes without a cause at most once in ``PATIENCE`` labels on average,
    whatever the distribution, and however losses depend on each other.

    Labels of a source that taught its quota are not to be fed: who may not teach may not judge.
    It is blind to what all labels agree on: where every label is flipped, the flipped model is
    right. And it sees an answer when its label comes, so it closes a label's delay after the cause.

    Examples
    --------
    >>> gate = Gate()
    >>> for served, newer in [(0.0, 0.0), (0.0, 1.0)] * 20:
    ...     gate.look(served, newer)
    >>> gate.open
    False

    References
    ----------
    Shin, J., Ramdas, A. and Rinaldo, A. (2023). E-detectors: a nonparametric framework for
    sequential change detection. New England Journal of Statistics in Data Science 2(2), 229-260.
    Fan, X., Grama, I. and Liu, Q. (2015). Exponential inequalities for martingales with
    applications. Electronic Journal of Probability 20(1), 1-22.
    """

    __slots__ = ("_logs", "closed_at", "open")

    def __init__(self) -> None:
        self.open = True
        #: The log time at which it closed; None while it is open.
        self.closed_at: float | None = None
        self._logs = [0.0] * len(_BETS)

    def look(self, served: float, newer: float, at: float = 0.0) -> None:
        """Take one label's losses, shares of the bound in [0, 1], at a log time."""
        difference = newer - served
        logs = self._logs
        # Both alike is what nearly all labels say, and is no evidence but for the margin.
        x = (difference - MARGIN) / (1.0 + MARGIN)
        squares = x * x
        self._logs = logs = [
            min(max((log if log > 0.0 else 0.0) + rate * x - cost * squares, 0.0), _MOST)
            for log, (rate, cost) in zip(logs, _BETS, strict=True)
        ]
        if self.open:
            if max(logs) >= _CLOSE and self.evidence >= PATIENCE:
                self.open, self.closed_at = False, at
        elif self.evidence <= _OPEN:
            self.open, self.closed_at = True, None

    def close(self) -> None:
        """Close it: what was learned is gone, and what comes has to show first what it is worth."""
        self._logs = [_CLOSE] * len(_BETS)
        self.open = False

    @property
    def evidence(self) -> float:
        """How strongly labels say that newer answers are worse: 1 is nothing."""
        return sum(map(math.exp, self._logs)) / len(self._logs)

    @property
    def reason(self) -> str:
        """Why no newer snapshot may serve; empty where one may."""
        if self.open:
            return ""
        since = "" if self.closed_at is None else f" since {self.closed_at:.0f}"
        return (
            f"newer answers are worse than those of the snapshot that serves{since} (evidence "
            f"{self.evidence:.0f} to 1): look at the labels that came before"
        )

    def state(self) -> list[Any]:
        return [self.open, self.closed_at, list(self._logs)]

    def restore(self, state: list[Any]) -> None:
        self.open, self.closed_at = state[0], state[1]
        self._logs = list(state[2])
