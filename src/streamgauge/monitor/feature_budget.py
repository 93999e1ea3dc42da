"""How many features one partition monitors: what keeps its state within one write to Redis."""

from __future__ import annotations

#: About 5 kB each while bins are drawn; a checkpoint holds 64 MiB.
MOST_TARGETS = 10_000


class FeatureBudget:
    """Counts the features of all models of a partition against their limit."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int = MOST_TARGETS) -> None:
        self.limit = limit
        self.taken = 0

    @property
    def left(self) -> int:
        return max(self.limit - self.taken, 0)

    def take(self) -> bool:
        """Take a place, if there is one."""
        if not self.left:
            return False
        self.taken += 1
        return True
