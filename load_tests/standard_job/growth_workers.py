"""One monitor and then two, on a real Kafka: four partitions with a model each.

The monitors share the partitions out before there is anything to take, and are held still while
the log is written: neither a rebalance nor the generator is measured. Rates are by the clock:
what Kafka takes of the second core is a part of the answer.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Sequence
from typing import Any

import orjson

from load_tests.faults.store import Store
from load_tests.faults.traffic import models
from load_tests.faults.workers import Worker, Workers
from load_tests.standard_job import backlog, drain, log, monitoring
from load_tests.standard_job.backlog import Sent
from load_tests.standard_job.bench import Bench, say
from load_tests.standard_job.cores import Failed
from load_tests.standard_job.job import RATE, Measured
from streamgauge_client.keys import partition_key

JOINING_SECONDS = 60.0
TWO_CORES = "Kafka, Redis and this program have the second monitor's core too."
ONE_CORE = "There is one core only, and both monitors have it."


def measure(bench: Bench) -> dict[str, Any]:
    """One, two, two, one: both had the same machine. And how many times as fast two are."""
    begin = float(int(time.time()) - bench.events // RATE - 120)
    assert bench.site is not None
    monitoring.apply(bench.site, bench.directory, begin, models=models())
    records = [
        Sent(
            partition_key(event["model"], ""),
            orjson.dumps(event),
            log.headers(number, begin + number / RATE),
            begin + number / RATE,
        )
        for number, event in enumerate(
            log.events(bench.events, begin=begin, models=tuple(models()))
        )
    ]
    cores = bench.cores
    pinned = {
        "1 monitor": [cores.measured],
        "2 monitors, a core each": [cores.measured, cores.others],
    }
    first, second = pinned
    found: dict[str, list[float]] = {level: [] for level in pinned}
    for turn, level in enumerate((first, second, second, first)):
        found[level].append(_run(bench, records, pinned[level], turn).clock_rate)
    rates = {level: statistics.mean(each) for level, each in found.items()}
    return {
        "rows": [{"level": level, "rate": rate} for level, rate in rates.items()],
        "ratio": rates[second] / rates[first],
        "remark": ONE_CORE if cores.measured == cores.others else TWO_CORES,
    }


def _run(bench: Bench, records: Sequence[Sent], cores: Sequence[int], turn: int) -> Measured:
    say(f"growth: monitors on Kafka: {len(cores)}")
    site, group = bench.site, f"job-workers-{turn}"
    assert site is not None
    site.create(group)
    workers = Workers(site.settings(group, group), site.directory)
    store = Store(site.redis.url, group)
    try:
        for number, core in enumerate(cores):
            before = max(store.generations())
            worker = workers.start(f"{group}-{number}")
            bench.cores.pin(worker.process.pid, core)
            _until_shared(store, before, worker)
        for worker in workers.started:
            worker.process.send_signal(signal.SIGSTOP)
        try:
            written = backlog.write(site.servers, f"{group}.predictions", records)
        finally:
            for worker in workers.started:
                worker.process.send_signal(signal.SIGCONT)
        looks = drain.drain(store, workers.started, written)
        drain.check(store, written)
        return drain.measured(looks, workers.started)
    finally:
        workers.stop()
        store.close()


def _until_shared(store: Store, before: int, worker: Worker) -> None:
    """Wait until every partition was acquired in a later generation than ``before``."""
    deadline = time.monotonic() + JOINING_SECONDS
    while not store.acquired() or min(store.generations()) <= before:
        if worker.process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"a monitor took no partitions: {worker.log.read_text()[-1_000:]}")
        time.sleep(0.05)
