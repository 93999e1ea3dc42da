"""One run's processes: topics, Redis, traffic, monitors, and the clock of the recovery."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import redis
from confluent_kafka import KafkaException

from load_tests.faults.broker import Broker
from load_tests.faults.gone import Gone
from load_tests.faults.proxy import Proxy
from load_tests.faults.recovery import Recovery, Stuck
from load_tests.faults.redis_server import RedisServer
from load_tests.faults.registry import Fault
from load_tests.faults.sender import Sender
from load_tests.faults.store import Store
from load_tests.faults.topics import ends
from load_tests.faults.traffic import make
from load_tests.faults.workers import Worker, Workers
from services.stack.reach import create_topics
from streamgauge_client.topics import TOPICS
from tests.integration.first_light import SETTINGS

POLL_SECONDS = 0.02
PEAK_SECONDS = 0.25


class Rig:
    """What a fault may touch. ``with Rig(…) as rig``; everything it started ends with the block."""

    def __init__(
        self, fault: Fault, broker: Broker, directory: Path, prefix: str, rng: random.Random
    ) -> None:
        self.fault, self.broker, self.prefix, self.rng = fault, broker, prefix, rng
        self.directory = directory
        self.remarks: list[str] = []
        #: What the fault's row promises and this run did not keep. The run has failed then.
        self.unmet: list[str] = []
        #: What a fault has taken out of the topic.
        self.gone = Gone()
        #: What a fault counts beside: fenced writes, cut answers.
        self.notes: Counter[str] = Counter()
        #: Called at every look while something is waited for.
        self.watch: Callable[[], None] | None = None
        self._stack = ExitStack()
        self._peaks_at = 0.0

    def __enter__(self) -> Rig:
        with ExitStack() as stack:
            self.redis = RedisServer(self.directory / "redis")
            stack.callback(self.redis.kill)
            self.redis.start()
            url = self.redis.url
            if self.fault.proxied:
                self.proxy = stack.enter_context(Proxy(self.redis.port))
                url = f"redis://127.0.0.1:{self.proxy.port}/0"
            self.store = Store(self.redis.url, self.prefix)
            stack.callback(self.store.close)
            self.monitoring = {**SETTINGS, **self.fault.monitoring}
            self.workers = Workers(self._settings(url), self.directory)
            stack.callback(self.workers.stop)
            if self.fault.topics:
                self.create_topics()
            shape = self.fault.shape
            items = make(shape, self.rng.randrange(2**31), time.time())
            self.traffic = Sender(
                self.broker.servers, f"{self.prefix}.predictions", items, shape.seconds
            )
            stack.callback(self.traffic.cancel)
            topic = f"{self.prefix}.predictions"
            self.recovery = Recovery(
                self.store,
                all_sent=lambda: self.traffic.sent == self.traffic.total,
                ends=lambda: ends(self.broker.servers, topic),
                until=self.until,
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _settings(self, url: str) -> dict[str, str]:
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.broker.servers,
            "KAFKA__TOPIC_PREFIX": self.prefix,
            "REDIS__URL": url,
            "MONITOR__GROUP": self.prefix,
            "MONITOR__PORT": "0",
            **{f"MONITORING__{name}": str(value) for name, value in self.monitoring.items()},
            **self.fault.settings,
        }

    def create_topics(self) -> None:
        create_topics(self.broker.servers, [topic.under(self.prefix) for topic in TOPICS])

    def expect(self, kept: bool, promise: str) -> None:
        """Hold the run to a promise of its row."""
        if not kept:
            self.unmet.append(promise)

    # -- waiting -------------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait for a condition; return how long it took. Raises ``Stuck``.

        Where Redis or Kafka does not answer, the condition does not hold.
        """
        started = time.monotonic()
        while True:
            try:
                if self.watch is not None:
                    self.watch()
                if condition():
                    return time.monotonic() - started
            except (redis.RedisError, OSError, KafkaException):
                pass
            now = time.monotonic()
            if now - started > seconds:
                raise Stuck(f"{what}, for {seconds:g} s")
            if now - self._peaks_at > PEAK_SECONDS:
                self._peaks_at = now
                self.workers.note_peaks()
                self._supervise()
            time.sleep(POLL_SECONDS)

    def _supervise(self) -> None:
        """Start again what ended by itself, as every deployment does, and say so."""
        for worker in self.workers.ended_by_themselves():
            worker.ending = True
            code = worker.process.returncode
            self.remarks.append(f"{worker.log.name} ended by itself with code {code}")
            self.workers.start(worker.instance)

    def start_workers(self) -> list[Worker]:
        """Start the fault's monitors one after the other, until each has its share."""
        started = [self.workers.start()]
        self.until(self.store.acquired, 40, "no partition was taken")
        for number in range(1, self.fault.workers):
            self.next_generation(lambda n=number: started.append(  # type: ignore[misc]
                self.workers.start(f"monitor-{n}")
            ))  # fmt: skip
        return started

    def under_traffic(self, least: float = 0.15, most: float = 0.6) -> list[Worker]:
        """Start monitors and traffic; return once it is under way: now a fault strikes."""
        started = self.start_workers()
        self.traffic.start()
        self.under_way(least, most)
        self.recovery.struck()
        return started

    def next_generation(self, act: Callable[[], object], seconds: float = 40) -> None:
        """Do what makes a rebalance; wait until all partitions were acquired in a later one."""
        before = max(self.store.generations())
        act()
        self.until(lambda: min(self.store.generations()) > before, seconds, "no rebalance")

    def under_way(self, least: float = 0.15, most: float = 0.6) -> None:
        """Wait for a random moment of the traffic, all partitions being worked on."""
        share = self.rng.uniform(least, most)
        self.until(
            lambda: self.traffic.sent >= share * self.traffic.total, 60, "the traffic stands"
        )
        self.until(lambda: min(self.store.positions().values()) > 0, 30, "it never began")

    def pause(self, seconds: float) -> None:
        """Keep a fault up for so long, or wait for a random instant: nothing to wait for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.workers.note_peaks()
            time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))
