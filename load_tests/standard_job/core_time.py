"""What a pinned process had of its core, and how long somebody else had it instead.

A shared machine takes a half of a core away for seconds at a time. The kernel counts how long a
thread wanted to run and could not, which is none of the way's own.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CoreTime:
    """Seconds so far: by the clock, of the processor, and of the first thread's waiting for it."""

    wall: float
    cpu: float
    first_cpu: float
    first_waited: float

    @classmethod
    def of(cls, pid: int | str = "self") -> CoreTime:
        """Where the kernel does not count the waiting, it is 0."""
        first_cpu, first_waited = _counted(Path(f"/proc/{pid}/schedstat"))
        cpu = 0.0
        with suppress(OSError):
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            cpu = sum(_counted(thread / "schedstat")[0] for thread in threads)
        return cls(time.monotonic(), cpu, first_cpu, first_waited)

    def __sub__(self, earlier: CoreTime) -> CoreTime:
        return CoreTime(
            self.wall - earlier.wall,
            max(self.cpu - earlier.cpu, 0.0),
            self.first_cpu - earlier.first_cpu,
            self.first_waited - earlier.first_waited,
        )

    @property
    def outside(self) -> float:
        """Seconds that others had: the waiting, less what its own other threads did meanwhile."""
        own = max(self.cpu - self.first_cpu, 0.0)
        return min(max(self.first_waited - own, 0.0), self.wall)


def _counted(path: Path) -> tuple[float, float]:
    # Nanoseconds of running and of waiting. A thread may end while it is asked.
    with suppress(OSError, ValueError):
        ran, waited, _ = path.read_text().split()
        return int(ran) / 1e9, int(waited) / 1e9
    return 0.0, 0.0
