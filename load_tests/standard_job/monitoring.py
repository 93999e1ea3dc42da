"""The monitor process as users start it, on the measured core, with a backlog before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import orjson
import redis

from load_tests.faults.store import Store
from load_tests.faults.workers import Workers
from load_tests.standard_job import drain, job, log, spec
from load_tests.standard_job.cores import Cores
from load_tests.standard_job.job import Measured
from load_tests.standard_job.site import Site
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.spec_store import SpecStore

_runs = count()


def apply(
    site: Site, directory: Path, begin: float, *, models: Sequence[str] = (job.MODEL,)
) -> None:
    """Store the job's reference and spec of each model, in force before the log begins."""
    profile = log.profile([orjson.loads(value) for value in job.reference(directory)])
    reference = {"reference": {"kind": "profile", "id": profile.id}}
    client = redis.Redis.from_url(site.redis.url)
    try:
        store = SpecStore(client)
        for model in models:
            store.put_reference(model, profile.id, profile.to_bytes())
            document = spec.document(model=model, models=len(models)) | reference
            store.apply(ModelSpec.from_document(document), now=begin - 60, by="load")
    finally:
        client.close()


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """A log in Kafka: the prefix of its topics, its records, and the events in each."""

    prefix: str
    records: int
    rows: int = 1


def run(site: Site, backlog: Backlog, cores: Cores) -> Measured:
    """Start one monitor in a group of its own and let it take the backlog."""
    group = f"{backlog.prefix}-{next(_runs)}"
    workers = Workers(site.settings(backlog.prefix, group), site.directory)
    store = Store(site.redis.url, group)
    try:
        worker = workers.start(group)
        cores.pin(worker.process.pid)
        looks = drain.drain(store, [worker], backlog.records)
        drain.check(store, backlog.records)
        return drain.measured(looks, [worker], rows=backlog.rows)
    finally:
        workers.stop()
        store.close()
