"""How many events each rule applied to, and how many broke it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric

#: Events that a rule applies to and those that break it, weighted; events that it applies to.
_NOTHING = (0, 0, 0)


class RuleCounts(Metric, name="rule_counts"):
    """Per rule: events that it applied to, and those of them that broke it.

    An event that stands for several counts as many; ``events`` counts it once, because what a
    ratio is worth depends on how many were seen.

    Examples
    --------
    >>> import numpy as np
    >>> r = RuleCounts()
    >>> r.update("limit-holds", np.array([True, False, False]), np.array([True, True, False]))
    >>> r.get(), r.applicable("limit-holds"), r.violated("limit-holds")
    ({'limit-holds': 0.5}, 2, 1)
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def rules(self) -> list[str]:
        """Rules that were asked, sorted."""
        return sorted(self._counts)

    def applicable(self, rule: str) -> int:
        return self._counts.get(rule, _NOTHING)[0]

    def violated(self, rule: str) -> int:
        return self._counts.get(rule, _NOTHING)[1]

    def events(self, rule: str) -> int:
        return self._counts.get(rule, _NOTHING)[2]

    def update(
        self,
        rule: str,
        violated: NDArray[np.bool_],
        applicable: NDArray[np.bool_],
        weights: NDArray[np.int64] | None = None,
    ) -> None:
        """Take one rule's answers, each (n,); a row that it does not apply to breaks nothing.

        ``weights`` (n,) are how many events each stands for.
        """
        if not len(applicable):
            return
        broken, events = violated & applicable, int(np.count_nonzero(applicable))
        if weights is None:
            self._add(rule, [events, int(np.count_nonzero(broken)), events])
        else:
            self._add(rule, [int(weights[applicable].sum()), int(weights[broken].sum()), events])

    def drop(self, rule: str) -> None:
        """Forget a rule whose check is another now."""
        self._counts.pop(rule, None)

    def _add(self, rule: str, counts: Sequence[int]) -> None:
        before = self._counts.get(rule, _NOTHING)
        self._counts[rule] = [one + other for one, other in zip(before, counts, strict=True)]

    def merge(self, other: Self) -> None:
        for rule, counts in other._counts.items():
            self._add(rule, counts)

    def state(self) -> list[Any]:
        return [[rule, *self._counts[rule]] for rule in sorted(self._counts)]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        for rule, *counts in state:
            made._add(rule, counts)
        return made

    def get(self) -> dict[str, float]:
        """Return the ratio of events that break each rule, of those it applies to."""
        return {
            rule: violated / applicable
            for rule, (applicable, violated, _) in sorted(self._counts.items())
            if applicable
        }
