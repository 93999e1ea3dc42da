"""How much at once: records per step, seconds per checkpoint."""

from __future__ import annotations

from streamgauge.streaming.config import WorkerConfig

SMALLEST_STEP = 20
#: A step of fewer records was hardly worth its price.
FEW_RECORDS = 200


class Pace:
    """Adapts the size of a step, so that heartbeats and other partitions get their turn."""

    def __init__(self, *, longest: float, most: int) -> None:
        self._longest = longest
        self._most = most
        self.size = min(500, most)
        #: Whether the last step found little to take.
        self.idle = False

    def took(self, seconds: float, records: int) -> None:
        """Learn from a step."""
        self.idle = records < min(FEW_RECORDS, self.size)
        if seconds > self._longest:
            self.size = max(SMALLEST_STEP, self.size // 2)
        elif seconds < self._longest / 4 and records >= self.size:
            self.size = min(self._most, self.size * 2)


def checkpoint_interval(config: WorkerConfig, dirty_bytes: int) -> float:
    """Seconds between checkpoints: a big state is written less often, up to a bound."""
    wanted = dirty_bytes / config.checkpoint_bytes_per_second
    return min(max(wanted, config.checkpoint_min_seconds), config.checkpoint_max_seconds)
