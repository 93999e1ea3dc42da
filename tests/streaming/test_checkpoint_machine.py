"""The checkpoint protocol under every sequence of faults that Hypothesis can think of.

Real partition workers, a real store, no sleeping: time is virtual. After any history one worker
drains the log, and state, alarms and books must be those of a single pass over it: also where the
store was wiped and the log holds no more than what came after the snapshots.

``STREAMGAUGE_MACHINE_EXAMPLES=20000`` runs that many histories, and other ones each time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.state.positions import Positions
from streamgauge.streaming import snapshot
from streamgauge.streaming.chunk import Chunk
from tests.missing import missing
from tests.streaming import counting
from tests.streaming.cluster import Cluster
from tests.streaming.disk import Disk, MemoryDisk, RedisDisk
from tests.streaming.fakes import LABELS, PREDICTIONS
from tests.streaming.process import FAULTS, Fault, Process
from tests.streaming.single_pass import FEEDBACK, Oracle
from tests.streaming.virtual_time import follow_the_loop

TOPICS = (PREDICTIONS, LABELS, FEEDBACK)
#: An alarm at every so many predictions of a model.
EVERY = 2
#: Virtual seconds in which a worker without faults must have caught up.
REST_SECONDS = 60.0
INDEX = st.integers(0, 9)
OPERATIONS = (
    "checkpoint",
    "checkpoint",
    "acquire",
    "load",
    "holder",
    "published",
    "publish",
    "snapshot",
    "restore",
)


class CheckpointProtocol(RuleBasedStateMachine):
    """One partition number, up to three workers, and all that can go wrong between them."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.cluster = Cluster(disk)
        self.workers = 1
        #: Chunks that a worker's consumer holds back, by slot.
        self.prefetched: list[tuple[int, Chunk]] = []

    @property
    def processes(self) -> list[Process]:
        return self.cluster.processes

    def one(self, index: int) -> Process:
        return self.processes[index % len(self.processes)]

    def some(self) -> bool:
        return bool(self.processes)

    def held(self) -> list[Process]:
        """The process that holds the partition by Kafka's word, if it is there."""
        held = self.cluster.assigned, self.cluster.generation
        return [p for p in self.processes if (p.slot, p.generation) == held]

    def advanced(self) -> bool:
        """There is something in the store to lose."""
        position = self.cluster.position()
        return bool(position) and Positions.parse(position).checkpoint > 1

    @initialize(workers=st.integers(1, 3), records=st.integers(0, 12))
    def begin(self, workers: int, records: int) -> None:
        self.workers = workers
        for number in range(records):
            self.cluster.log.append(TOPICS[number % 3], model=f"m{number % 2}", skip=number % 2)
        self.cluster.assign(0, 1)

    # -- the log -------------------------------------------------------------------------------

    @rule(
        topic=st.sampled_from((PREDICTIONS, *TOPICS)),
        n=st.integers(1, 6),
        skip=st.integers(0, 2),
        model=st.sampled_from(["m0", "m1"]),
        value=st.sampled_from([b"v", b"v", b"v", b"bad", None]),
    )
    def produce(self, topic: str, n: int, skip: int, model: str, value: bytes | None) -> None:
        self.cluster.log.append(topic, n, skip=skip, model=model, value=value)

    @rule(topic=st.sampled_from(TOPICS))
    def mark(self, topic: str) -> None:
        """A transaction marker: an offset without a record."""
        self.cluster.log.ends[topic] += 1

    # -- one worker at work --------------------------------------------------------------------

    @rule(
        n=st.integers(1, 4),
        model=st.sampled_from(["m0", "m1"]),
        skip=st.integers(0, 1),
        cut=st.none() | st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(FAULTS)),
        seconds=st.sampled_from([0.6, 0.6, 0.0]),
    )
    def work(
        self, n: int, model: str, skip: int, cut: tuple[str, Fault] | None, seconds: float
    ) -> None:
        """Records come to a living worker, and become durable; one call may fail."""
        self.cluster.log.append(PREDICTIONS, n, model=model, skip=skip)
        process = (self.held() or [self._restart()])[0]
        process.stalled = False
        if cut:
            process.faults.append(cut)
        for _ in range(2):  # a hole must be seen twice
            self._feed(process, TOPICS, 10)
        self.cluster.run(seconds)

    #: Drawn more often than any one accident.
    work_on = work_longer = work

    @precondition(some)
    @rule(index=INDEX, topics=st.sampled_from([TOPICS, *((t,) for t in TOPICS)]), limit=INDEX)
    def fetch(self, index: int, topics: tuple[str, ...], limit: int) -> None:
        """What is fetched is processed at once, as far as the order is certain."""
        self._feed(self.one(index), topics, 1 + limit)

    @precondition(some)
    @rule(index=INDEX, topic=st.sampled_from(TOPICS), limit=INDEX)
    def prefetch(self, index: int, topic: str, limit: int) -> None:
        process = self.one(index)
        if chunk := process.log.fetch(topic, 1 + limit, process.generation):
            self.prefetched.append((process.slot, chunk))

    @precondition(lambda self: self.prefetched)
    @rule(index=INDEX)
    def hand_on(self, index: int) -> None:
        """A chunk from before a seek, or from before a rebalance."""
        slot, chunk = self.prefetched.pop(index % len(self.prefetched))
        for process in self.processes:
            if process.slot == slot:
                process.worker.feed(chunk)
        self.cluster.run()

    @rule(seconds=st.sampled_from([0.05, 0.6, 0.6, 3.0]))
    def wait(self, seconds: float) -> None:
        """Checkpoints fall due, outboxes are published, back-offs and deadlines end."""
        self.cluster.run(seconds)

    # -- what can go wrong ---------------------------------------------------------------------

    @precondition(some)
    @rule(
        index=INDEX,
        operation=st.sampled_from(OPERATIONS),
        fault=st.sampled_from(FAULTS),
    )
    def cut(self, index: int, operation: str, fault: Fault) -> None:
        """The next such call fails."""
        self.one(index).faults.append((operation, fault))

    @precondition(some)
    @rule(index=INDEX)
    def stall(self, index: int) -> None:
        """Nothing that it sends leaves any more."""
        self.one(index).stalled = True

    @precondition(some)
    @rule(index=INDEX)
    def wake(self, index: int) -> None:
        self.one(index).stalled = False
        self.cluster.run()

    @precondition(some)
    @rule(index=INDEX)
    def crash(self, index: int) -> None:
        self.cluster.kill(self.one(index))
        self.cluster.run()

    @rule(
        slot=st.integers(0, 2),
        hears=st.sampled_from(["drain", "lose", "nothing", "nothing"]),
        anew=st.sampled_from([False, False, False, True]),
    )
    def assign(self, slot: int, hears: str, anew: bool) -> None:
        """A rebalance; ``anew``: the group was deleted and counts its generations from one."""
        slot %= self.workers
        for process in self.processes:
            if hears != "nothing" or process.slot == slot:
                self.cluster.revoke(process, kindly=hears == "drain")
        self.cluster.assign(slot, 1 if anew else self.cluster.generation + 1)

    @precondition(advanced)
    @rule(writes=st.integers(1, 6))
    def regress(self, writes: int) -> None:
        self.cluster.regress(writes)

    @precondition(advanced)
    @rule(retention=st.booleans())
    def wipe(self, retention: bool) -> None:
        """The store loses everything; the log may have lost what snapshots hold."""
        if retention:
            self.cluster.forget()
        if not (self.cluster.forgotten and self.cluster.mixed):
            self.cluster.wipe()

    @precondition(lambda self: self.cluster.adrift)
    @rule(index=INDEX)
    def arrive_late(self, index: int) -> None:
        adrift = self.cluster.adrift
        self.cluster.do(*adrift.pop(index % len(adrift)))
        self.cluster.run()

    @precondition(lambda self: self.cluster.done)
    @rule(back=INDEX)
    def arrive_twice(self, back: int) -> None:
        done = self.cluster.done
        self.cluster.do(*done[-1 - back % len(done)])
        self.cluster.run()

    # -- quiescence ----------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and self.cluster.assigned >= 0:
                self._come_to_rest()
                self._compare()
        finally:
            self.cluster.close()

    def _come_to_rest(self) -> None:
        cluster = self.cluster
        for process in self.processes:
            process.stalled, process.faults = False, []
        cluster.run()
        # Without a record there is no checkpoint, and without one nobody learns of a regress.
        for topic in TOPICS:
            cluster.log.append(topic)
        ends = {t: rs[-1].offset + 1 for t, rs in cluster.log.records.items() if rs}
        deadline = cluster.loop.now + REST_SECONDS
        while cluster.loop.now < deadline:
            for process in self.held() or [cluster.assign(0, cluster.generation + 1)]:
                self._feed(process, TOPICS, 100)
            cluster.run(0.25)
            durable = cluster.durable_offsets()
            outbox = cluster.disk.run(cluster.disk.store.load(0)).outbox
            # A regress may bring an entry back that has left: it leaves again at the next opening.
            waiting = outbox.keys() - cluster.published.keys()
            if not waiting and all(durable.get(topic) == end for topic, end in ends.items()):
                return
        raise AssertionError(f"no rest: {durable} of {ends}, {len(waiting)} in the outbox")

    def _restart(self) -> Process:
        """A static member comes back without a new generation."""
        slot = self.cluster.assigned
        self.prefetched = [(s, c) for s, c in self.prefetched if s != slot]
        return self.cluster.assign(slot, self.cluster.generation)

    def _feed(self, process: Process, topics: tuple[str, ...], limit: int) -> None:
        for topic in topics:
            if chunk := process.log.fetch(topic, limit, process.generation):
                process.worker.feed(chunk)
        self.cluster.run()

    def _compare(self) -> None:
        expected = Oracle(self.cluster.whole_log(), every=EVERY)
        stored = self.cluster.disk.run(self.cluster.disk.store.load(0))
        assert {m: json.loads(blob) for m, blob in stored.blobs.items()} == expected.state
        ours = {key for key, r in self.cluster.published.items() if r.key != b"_stream"}
        assert ours == expected.alarms
        assert set(self.cluster.letters) == expected.letters
        meta = json.loads(stored.meta or b"{}")
        assert meta["counts"] == expected.counts
        advanced = sum(Positions.parse(stored.position).offsets.values())
        assert advanced == sum(meta["counts"].values()) + meta["holes"]


@pytest.fixture(params=["memory", "fake", pytest.param("real", marks=pytest.mark.integration)])
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    if request.param == "memory":
        with closing(MemoryDisk()) as memory:
            yield memory
        return
    if request.param == "real" and real_server() is None:
        missing("no redis-server on PATH")
    with EmbeddedRedis(request.param) as server, closing(RedisDisk(server.url, "g")) as redis:
        yield redis


#: By store; a round trip to Redis costs more than all the rest.
EXAMPLES = {"memory": 100, "fake": 12, "real": 30}


def test_any_history_ends_as_one_undisturbed_pass(
    disk: Disk,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    follow_the_loop(monkeypatch)
    monkeypatch.setattr(counting, "EVERY", EVERY)
    monkeypatch.setattr(snapshot, "PART_BYTES", 150)
    caplog.set_level(logging.CRITICAL, logger="streamgauge")
    asked = int(os.environ.get("STREAMGAUGE_MACHINE_EXAMPLES", "0"))
    kind = request.node.callspec.params["disk"]
    run_state_machine_as_test(
        lambda: CheckpointProtocol(disk),  # type: ignore[arg-type]
        settings=settings(
            max_examples=asked or EXAMPLES[kind],
            derandomize=not asked,
            stateful_step_count=50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
