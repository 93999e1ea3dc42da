"""What is wrong with the values of one feature, counted."""

from __future__ import annotations

from typing import Any, Self

from streamgauge.metrics.base import Metric

KINDS = ("missing", "wrong_type", "out_of_range", "new_category")


class Quality(Metric, name="quality"):
    """Events seen, and those whose value was missing, of another type, out of range or new.

    ``seen`` counts events, whether they had a value or not; every ratio is of these.

    Examples
    --------
    >>> q = Quality()
    >>> q.update(10, missing=5)
    >>> q.get()
    {'missing': 0.5, 'wrong_type': 0.0, 'out_of_range': 0.0, 'new_category': 0.0}
    """

    __slots__ = ("missing", "new_category", "out_of_range", "seen", "wrong_type")

    def __init__(self) -> None:
        self.seen = self.missing = self.wrong_type = self.out_of_range = self.new_category = 0

    def update(
        self,
        seen: int,
        *,
        missing: int = 0,
        wrong_type: int = 0,
        out_of_range: int = 0,
        new_category: int = 0,
    ) -> None:
        """Take the counts of one batch."""
        self.seen += seen
        self.missing += missing
        self.wrong_type += wrong_type
        self.out_of_range += out_of_range
        self.new_category += new_category

    def merge(self, other: Self) -> None:
        self.update(other.seen, **{kind: getattr(other, kind) for kind in KINDS})

    def state(self) -> list[Any]:
        return [self.seen, *(getattr(self, kind) for kind in KINDS)]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.update(state[0], **dict(zip(KINDS, state[1:], strict=True)))
        return made

    def get(self) -> dict[str, float]:
        if not self.seen:
            return {}
        return {kind: getattr(self, kind) / self.seen for kind in KINDS}
