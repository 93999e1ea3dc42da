"""What the ways are measured with: the log on disk and in Kafka, the cores, the services."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from load_tests.standard_job import backlog, job, log, monitoring
from load_tests.standard_job.backlog import ROWS
from load_tests.standard_job.cores import Cores
from load_tests.standard_job.monitoring import Backlog
from load_tests.standard_job.site import Site

SINGLES, COLUMNS = "job", "job-columns"
#: How many times the log is told in messages of columns.
PASSES = 2


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Without a site, the ways that need one are left out."""

    directory: Path
    events: int
    cores: Cores
    site: Site | None = None
    singles: Backlog | None = None
    columns: Backlog | None = None


def say(text: str) -> None:
    """A line of progress."""
    print(f"standard_job: {text}", file=sys.stderr, flush=True)


@contextmanager
def prepared(
    directory: Path, events: int, cores: Cores, *, kafka: bool, monitored: bool, columns: bool
) -> Iterator[Bench]:
    """Write the log, start what is needed, and write the log there too."""
    say(f"writing a log of {events:,} events")
    begin = log.write(directory, events, passes=PASSES)
    if not kafka:
        yield Bench(directory=directory, events=events, cores=cores)
        return
    say("starting Kafka" + (" and Redis" if monitored else ""))
    with Site(directory, redis=monitored) as site:
        values = [value for chunk in job.chunks(directory, events) for value in chunk]
        say("writing the log into Kafka")
        site.create(SINGLES)
        topic = f"{SINGLES}.predictions"
        records = backlog.write(site.servers, topic, backlog.singles(values, begin))
        singles = Backlog(prefix=SINGLES, records=records)
        if monitored:
            monitoring.apply(site, directory, begin)
        messages = None
        if columns:
            say(f"writing it again as columns, {PASSES} times over")
            site.create(COLUMNS)
            told = backlog.columns(values, passes=PASSES)
            records = backlog.write(site.servers, f"{COLUMNS}.predictions", told)
            messages = Backlog(prefix=COLUMNS, records=records, rows=ROWS)
        yield Bench(
            directory=directory,
            events=events,
            cores=cores,
            site=site,
            singles=singles,
            columns=messages,
        )
