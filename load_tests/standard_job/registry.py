"""The ways by name: how each is measured, how much of the log it gets, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

from load_tests.standard_job import monitoring, peers
from load_tests.standard_job.bench import PASSES, Bench
from load_tests.standard_job.job import WINDOW, Measured

_groups = count()


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of doing the job.

    ``share`` of the log is enough for those without a start-up. A monitor's first half second on
    Kafka is mostly waiting, and in a short log that would be most of what is measured.
    """

    name: str
    says: str
    measure: Callable[[Way, Bench], Measured]
    share: float = 1.0
    needs: tuple[str, ...] = ()

    def events(self, bench: Bench) -> int:
        """How many events it gets: whole windows."""
        return max(round(bench.events * self.share) // WINDOW, 1) * WINDOW

    @property
    def module(self) -> str:
        return f"load_tests.standard_job.ways.{self.name}"


def in_process(way: Way, bench: Bench) -> Measured:
    """Over the log on disk, with this interpreter or the peer's own."""
    python = peers.python(way.name) if way.name in peers.PEERS else None
    told = ("--directory", bench.directory, "--events", way.events(bench))
    return bench.cores.run(way.module, *told, python=python)


def on_kafka(way: Way, bench: Bench) -> Measured:
    """Over the log in Kafka, in a group of its own."""
    assert bench.site is not None and bench.singles is not None
    return bench.cores.run(
        way.module,
        *("--directory", bench.directory, "--events", way.events(bench)),
        *("--servers", bench.site.servers, "--topic", f"{bench.singles.prefix}.predictions"),
        *("--group", f"{way.name}-{next(_groups)}"),
    )


def monitor(way: Way, bench: Bench) -> Measured:
    """The monitor process over the log in Kafka."""
    assert bench.site is not None and bench.singles is not None
    return monitoring.run(bench.site, bench.singles, bench.cores)


def monitor_columns(way: Way, bench: Bench) -> Measured:
    """The monitor process over the log as columns."""
    assert bench.site is not None and bench.columns is not None
    return monitoring.run(bench.site, bench.columns, bench.cores)


def ways() -> Mapping[str, Way]:
    """All ways, in the order in which the first round takes them."""
    kafka, monitored = ("kafka",), ("kafka", "redis")
    found = (
        Way(name="naive", says="River's loop, in process", measure=in_process, share=0.4),
        Way(name="ceiling", says="consume + orjson, Kafka", measure=on_kafka, needs=kafka),
        Way(name="monitor", says="Streamgauge, Kafka, Redis", measure=monitor, needs=monitored),
        Way(
            name="monitor_columns",
            says="the same, 1,000 rows a message",
            measure=monitor_columns,
            share=PASSES,
            needs=monitored,
        ),
        Way(
            name="in_process",
            says="Streamgauge's logic, no Kafka",
            measure=in_process,
            share=0.4,
        ),
        Way(
            name="faust_take",
            says="plain Faust + River's loop, Kafka",
            measure=on_kafka,
            share=0.12,
            needs=kafka,
        ),
        Way(
            name="whylogs",
            says="by windows, no Kafka, no detector",
            measure=in_process,
            share=0.08,
            needs=("whylogs",),
        ),
        Way(
            name="evidently",
            says="by windows, no Kafka, no detector",
            measure=in_process,
            share=0.012,
            needs=("evidently",),
        ),
    )
    return {way.name: way for way in found}


def missing_peers() -> dict[str, str]:
    """The peers that are not there, and what to do about it."""
    return {peer: peers.REMEDY for peer in peers.PEERS if peers.python(peer) is None}
