"""What all ways share: the job's columns, its log on disk, and what a way says at its end.

It imports nothing but the standard library: the peers' environments have little else.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from load_tests.standard_job.core_time import CoreTime

MODEL = "standard-job"
NUMERIC = tuple(f"feature_{number}" for number in range(10))
CATEGORICAL = ("country", "device")
SCORE = "output"
#: The numeric columns, each of which has a detector: the features and the score.
WATCHED = (*NUMERIC, SCORE)
WINDOW = 1_000
#: Events a second of event time: a window is a second, and one pane.
RATE = 1_000
CHUNK = 5_000
QUANTILES = (0.5, 0.95, 0.99)
BINS = 20


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a way took for so many events.

    ``seconds`` are by the clock, ``outside_seconds`` are those of them in which others had the
    core that it wanted, ``cpu_seconds`` those of its own process.
    """

    events: int
    seconds: float
    outside_seconds: float
    cpu_seconds: float
    rss_mb: float

    @property
    def rate(self) -> float:
        """Events a second of the core."""
        return self.events / (self.seconds - self.outside_seconds)

    @property
    def clock_rate(self) -> float:
        """Events a second by the clock, others and all."""
        return self.events / self.seconds

    @classmethod
    def between(cls, first: CoreTime, last: CoreTime, *, events: int, rss_mb: float) -> Measured:
        """What lies between two looks at a process."""
        passed = last - first
        return cls(
            events=events,
            seconds=passed.wall,
            outside_seconds=passed.outside,
            cpu_seconds=passed.cpu,
            rss_mb=rss_mb,
        )


class Stopwatch:
    """``with watch:`` as often as needed. What lies between is not counted."""

    def __init__(self) -> None:
        self._parts: list[CoreTime] = []

    def __enter__(self) -> None:
        self._started = CoreTime.of()

    def __exit__(self, *exc: object) -> None:
        self._parts.append(CoreTime.of() - self._started)

    def tell(self, events: int) -> None:
        """Print what was measured, for the program that started this way."""
        measured = Measured(
            events=events,
            seconds=sum(part.wall for part in self._parts),
            outside_seconds=sum(part.outside for part in self._parts),
            cpu_seconds=sum(part.cpu for part in self._parts),
            rss_mb=peak_mb(),
        )
        print(json.dumps(asdict(measured)), flush=True)


def peak_mb(pid: int | str = "self") -> float:
    """Peak of a process' resident memory.

    Not ``ru_maxrss``: that begins with what the parent had when it started the process.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def arguments() -> argparse.Namespace:
    """What every way is told."""
    parser = argparse.ArgumentParser(description="One way; python -m load_tests.standard_job")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--servers", default="")
    parser.add_argument("--topic", default="")
    parser.add_argument("--group", default="")
    return parser.parse_args()


def chunks(directory: Path, events: int, size: int = CHUNK) -> Iterator[list[bytes]]:
    """The log's first events, some at a time: a way's memory should be its own."""
    with (directory / "log.jsonl").open("rb") as lines:
        for start in range(0, events, size):
            chunk = [line.rstrip() for line in islice(lines, min(size, events - start))]
            if chunk:
                yield chunk


def reference(directory: Path) -> list[bytes]:
    """Events of the time before, for the bins."""
    return (directory / "reference.jsonl").read_bytes().splitlines()
