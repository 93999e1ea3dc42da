"""Microseconds of processor time an event, by features, models and slices, without Kafka.

Levels of a kind take their turns one by one, since a shared machine changes its speed within
seconds. A turn ends as a checkpoint begins: no event waits any more to be counted with others. The
first turns are warm-up.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import orjson

from load_tests.monitor_rate import Book
from load_tests.standard_job import log, spec
from load_tests.standard_job.job import RATE
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord

#: A turn's chunks are what passes between two checkpoints of a thousand models, which are written
#: every five seconds.
TURNS, CHUNKS = 4, 12
_REFERENCE = 1_000
_BEGIN = 1_790_000_000.0


@dataclass(frozen=True, kw_only=True)
class Level:
    """One size of one kind."""

    kind: str
    level: str
    features: int = 10
    models: int = 1
    segments: int = 0
    #: Events at once. Wide events are few, or a chunk would not fit the memory it is to measure.
    chunk: int = 5_000

    @property
    def numeric(self) -> tuple[str, ...]:
        return tuple(f"feature_{number}" for number in range(self.features))

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(f"segment_{number}" for number in range(self.segments))

    def monitor(self) -> PartitionMonitor:
        rows = list(log.events(_REFERENCE, seed=2, numeric=self.numeric))
        document = spec.document(self.numeric, models=self.models, segments=self.fields)
        return PartitionMonitor(0, book=Book(document, log.profile(rows)))

    def records(self) -> Iterator[LogRecord]:
        names = tuple(f"model-{number}" for number in range(self.models))
        made = log.events(
            TURNS * CHUNKS * self.chunk,
            begin=_BEGIN,
            numeric=self.numeric,
            models=names,
            segments=self.fields,
        )
        for offset, event in enumerate(made):
            at, key = _BEGIN + offset / RATE, event["model"].encode()
            value = orjson.dumps(event)
            yield LogRecord(
                "streamgauge.predictions", 0, offset, at, key, log.headers(offset, at), value
            )


KINDS = (
    tuple(
        Level(kind="features", level=f"{n} numeric", features=n, chunk=500) for n in (10, 100, 500)
    ),
    (
        Level(kind="models", level="1", models=1),
        Level(kind="models", level="100 in turns", models=100),
        # 12,000 features, of which a partition monitors 10,000: the last models have fewer.
        Level(kind="models", level="1,000 in turns", models=1_000),
    ),
    (
        Level(kind="slices", level="none", segments=0),
        Level(kind="slices", level="1 segment of 3 values", segments=1),
        Level(kind="slices", level="2 segments of 3 values", segments=2),
    ),
)


def main() -> None:
    """Compare the levels of the kind that is asked for."""
    (wanted,) = [levels for levels in KINDS if levels[0].kind == sys.argv[1]]
    json.dump(compare(wanted), sys.stdout)


def compare(levels: Sequence[Level]) -> list[dict[str, object]]:
    """A row for each level; ``of_first`` is how much more an event costs than at the first."""
    monitors = [level.monitor() for level in levels]
    sources = [level.records() for level in levels]
    took: list[list[float]] = [[] for _ in levels]
    for _ in range(TURNS):
        for level, monitor, source, each in zip(levels, monitors, sources, took, strict=True):
            each.append(_turn(monitor, source, level.chunk))
    warm = [each[TURNS // 2 :] for each in took]
    return [
        {
            "kind": level.kind,
            "level": level.level,
            "microseconds": statistics.median(own),
            "of_first": statistics.median(a / b for a, b in zip(own, warm[0], strict=True)),
        }
        for level, own in zip(levels, warm, strict=True)
    ]


def _turn(monitor: PartitionMonitor, source: Iterator[LogRecord], chunk: int) -> float:
    """Microseconds of processor time an event."""
    seconds = 0.0
    for _ in range(CHUNKS):
        records = list(islice(source, chunk))
        started = time.process_time()
        effects = monitor.process(records)
        seconds += time.process_time() - started
        if effects.dead_letters:
            raise SystemExit(f"the log is wrong: {effects.dead_letters[0].error}")
    started = time.process_time()
    monitor.settle()
    return (seconds + time.process_time() - started) / (CHUNKS * chunk) * 1e6


if __name__ == "__main__":
    main()
