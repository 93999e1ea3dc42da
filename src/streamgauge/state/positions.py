"""The position text: checkpoint number and next offsets in one string, so one comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Positions:
    """Where a partition number stands: next offset by topic, after ``checkpoint`` checkpoints.

    The number makes every checkpoint's text its own. Without it, one that moves no offset would
    have base = next, and a delayed duplicate could overwrite newer state.

    ``lost`` means that Kafka knows of this group and Redis does not: the state is gone. It stays
    until the first checkpoint, so that a crash meanwhile is no silent cold start.

    >>> Positions(17, {"predictions": 120, "labels": 40, "feedback": 7}).text
    '#17;feedback=7;labels=40;predictions=120'
    >>> Positions.parse("#0;lost").lost
    True
    """

    checkpoint: int = 0
    offsets: Mapping[str, int] = field(default_factory=dict)
    lost: bool = False

    @property
    def text(self) -> str:
        if self.lost:
            return f"#{self.checkpoint};lost"
        parts = (f"{topic}={offset}" for topic, offset in sorted(self.offsets.items()))
        return ";".join((f"#{self.checkpoint}", *parts))

    @classmethod
    def parse(cls, text: str) -> Positions:
        """Read a position text. Raises ``ValueError`` where it is none."""
        number, *parts = text.split(";")
        if not number.startswith("#"):
            raise ValueError(f"not a position text: {text!r}")
        if parts == ["lost"]:
            return cls(int(number[1:]), lost=True)
        pairs = (part.split("=", 1) for part in parts)
        return cls(int(number[1:]), {topic: int(offset) for topic, offset in pairs})

    def advanced(self, offsets: Mapping[str, int]) -> Positions:
        """The next checkpoint's positions."""
        return Positions(self.checkpoint + 1, dict(offsets))
