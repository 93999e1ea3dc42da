"""How fast monitor processes take a backlog, read from their checkpoints."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from load_tests.faults.store import PARTITIONS, Store
from load_tests.faults.workers import Worker
from load_tests.standard_job.core_time import CoreTime
from load_tests.standard_job.cores import Failed
from load_tests.standard_job.job import Measured, peak_mb

POLL_SECONDS = 0.01
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True)
class Look:
    """What was durable at a moment, in records over all partitions."""

    records: int
    times: tuple[CoreTime, ...]


def drain(store: Store, workers: Sequence[Worker], records: int) -> list[Look]:
    """Follow the checkpoints until all records are taken. Raises ``Failed``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    looks: list[Look] = []
    while not looks or looks[-1].records < records:
        if any(worker.process.poll() is not None for worker in workers):
            raise Failed(f"a monitor ended: {workers[0].log.read_text()[-1_000:]}")
        if time.monotonic() > deadline:
            raise Failed(f"{records:,} records were not read in {PATIENCE_SECONDS:g} s")
        durable = sum(store.positions().values())
        if durable and (not looks or durable > looks[-1].records):
            looks.append(Look(durable, tuple(CoreTime.of(w.process.pid) for w in workers)))
        time.sleep(POLL_SECONDS)
    return looks


def check(store: Store, records: int) -> None:
    """See that they were all monitored: dead letters are fast. Raises ``Failed``."""
    counts: Counter[str] = Counter()
    for number in range(PARTITIONS):
        counts.update(store.view(number).get("counts", {}))
    good = sum(n for outcome, n in counts.items() if outcome.endswith("/ok"))
    if good != records or good != sum(counts.values()):
        raise Failed(f"of {records:,} records became: {dict(counts)}")


def measured(looks: Sequence[Look], workers: Sequence[Worker], *, rows: int = 1) -> Measured:
    """What lies between the first checkpoint and the last. Raises ``Failed`` for fewer than two.

    The very last one had to wait until its turn with nothing left to take. Where the one before it
    has half of the log behind it, the measure ends there.
    """
    if len(looks) < 2:
        raise Failed("the log was taken within one checkpoint; give more --events")
    first, last = looks[0], looks[-1]
    if len(looks) > 2 and looks[-2].records - first.records >= last.records / 2:
        last = looks[-2]
    parts = [
        Measured.between(
            start,
            end,
            events=(last.records - first.records) * rows,
            rss_mb=peak_mb(worker.process.pid),
        )
        for start, end, worker in zip(first.times, last.times, workers, strict=True)
    ]
    return Measured(
        events=parts[0].events,
        seconds=parts[0].seconds,
        outside_seconds=sum(part.outside_seconds for part in parts) / len(parts),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        rss_mb=max(part.rss_mb for part in parts),
    )
