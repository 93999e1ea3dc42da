"""How long an alarm takes at a moderate rate: from when an event was to be sent, to a subscriber.

The event is the one that closes the window which shows the drift. It counts from the moment for
which it was planned, whether or not the sender was on time: else a system that holds its sender
up would look fast.
"""

from __future__ import annotations

import bisect
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from load_tests.faults.store import Store
from load_tests.faults.workers import Workers
from load_tests.standard_job import backlog
from load_tests.standard_job.backlog import Sent
from load_tests.standard_job.bench import say
from load_tests.standard_job.cores import Cores, Failed
from load_tests.standard_job.drain import drain
from load_tests.standard_job.open_loop import OpenLoop
from load_tests.standard_job.site import Site
from streamgauge.processing import LogRecord
from streamgauge_client import AlarmEvent
from streamgauge_client.keys import partition_key
from tests.integration.conftest import Kafka
from tests.integration.first_light import SETTINGS
from tests.integration.test_alarm_latency import Subscriber, shift
from tests.monitor.generate import between, stream

PREFIX = "job-latency"
MODELS = [f"model-{number}" for number in range(20)]
#: Events a second of each model: 2,000 together.
RATE = 100
HISTORY_SECONDS, LIVE_SECONDS = 30, 20
#: Windows of two seconds, of which an alarm needs two.
WINDOWS = {**SETTINGS, "MIN_DURATION_SECONDS": 2.0, "MIN_EVENTS": 150}
#: The last drift begins so long before the end, and the last alarm may come so long after it.
ROOM_SECONDS, PATIENCE_SECONDS = 10, 15.0


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds of each alarm, shortest first; the drifts that were to be heard; the worst delay."""

    seconds: tuple[float, ...]
    drifts: int
    sender_late_seconds: float
    rate: float = float(RATE * len(MODELS))

    def quantile(self, share: float) -> float | None:
        """The shortest that at least this share of all does not exceed."""
        if not self.seconds:
            return None
        return self.seconds[max(0, math.ceil(share * len(self.seconds)) - 1)]


def measure(site: Site, cores: Cores) -> Latency:
    """Teach the monitor the models, let all of them drift, and note the alarms."""
    say(f"alarms: {len(MODELS)} models are learned from {HISTORY_SECONDS} s of history")
    site.create(PREFIX)
    begin = float(math.floor(time.time()) - HISTORY_SECONDS - 20)
    history = _merged(begin, HISTORY_SECONDS * RATE, first=0, drifting=False)
    written = backlog.write(site.servers, f"{PREFIX}.predictions", map(_sent, history))
    workers = Workers(site.settings(PREFIX, PREFIX, WINDOWS), site.directory)
    store = Store(site.redis.url, PREFIX)
    try:
        worker = workers.start("latency")
        cores.pin(worker.process.pid)
        drain(store, [worker], written)
        return _live(site)
    finally:
        workers.stop()
        store.close()


def _live(site: Site) -> Latency:
    subscriber = Subscriber(Kafka(site.servers, "real"), PREFIX)
    # Made beforehand; a whole second, as that of the history: windows are the same.
    begin = float(math.ceil(time.time() + 5))
    records = _merged(begin, LIVE_SECONDS * RATE, first=HISTORY_SECONDS * RATE, drifting=True)
    say(f"alarms: {RATE * len(MODELS):,} events/s for {LIVE_SECONDS} s, a drift in each model")
    done = threading.Event()
    sender = OpenLoop(site.servers, f"{PREFIX}.predictions", list(map(_sent, records)), done)
    sender.start()
    deadline = begin + LIVE_SECONDS + PATIENCE_SECONDS
    while len(_drifts(subscriber)) < len(MODELS) and time.time() < deadline:
        if not sender.is_alive() and sender.failed:
            raise Failed(f"the sender ended: {sender.failed}")
        time.sleep(0.1)
    done.set()
    sender.join()
    planned: dict[str, list[float]] = {model: [] for model in MODELS}
    for record in records:
        assert record.key is not None and record.timestamp is not None
        planned[record.key.decode()].append(record.timestamp)
    return Latency(
        seconds=tuple(sorted(_seconds(subscriber, planned))),
        drifts=len(MODELS),
        sender_late_seconds=sender.latest,
    )


def _seconds(subscriber: Subscriber, planned: dict[str, list[float]]) -> list[float]:
    took: list[float] = []
    for model, (alarm, heard_at) in _drifts(subscriber).items():
        assert alarm.window is not None
        times = planned[model]
        closing = bisect.bisect_left(times, alarm.window.end)
        if closing < len(times):
            took.append(heard_at - times[closing])
    return took


def _drifts(subscriber: Subscriber) -> dict[str, tuple[AlarmEvent, float]]:
    """The first alarm of each model about the feature that drifts, and when it was heard."""
    found: dict[str, tuple[AlarmEvent, float]] = {}
    for alarm, at in list(subscriber.heard):
        if alarm.status == "firing" and alarm.feature == "x0" and alarm.window is not None:
            found.setdefault(alarm.model, (alarm, at))
    return found


def _merged(begin: float, rows: int, *, first: int, drifting: bool) -> Sequence[LogRecord]:
    """All models' events in the order of their times. Drifts begin one after the other."""
    records: list[LogRecord] = []
    for place, model in enumerate(MODELS):
        drift = place * (LIVE_SECONDS - ROOM_SECONDS) * RATE // len(MODELS)
        made = stream(
            rows,
            rate=RATE,
            features=2,
            seed=100 * drifting + place,
            model=model,
            first=first,
            fault=between(drift, rows, shift) if drifting else None,
            start=begin + place / RATE / len(MODELS),
        )
        records += [record._replace(key=partition_key(model, "")) for record in made]
    return sorted(records, key=lambda record: record.timestamp or 0.0)


def _sent(record: LogRecord) -> Sent:
    assert record.key is not None and record.value is not None and record.timestamp is not None
    return Sent(record.key, record.value, record.headers, record.timestamp)
