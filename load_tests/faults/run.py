"""One run of one fault: traffic, strike, recovery, rest, recount."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis import RedisError

from load_tests.faults.broker import Broker
from load_tests.faults.expected import expect, states_equal
from load_tests.faults.overrides import overrides
from load_tests.faults.recount import Recount, compare
from load_tests.faults.recovery import Stuck
from load_tests.faults.registry import Fault
from load_tests.faults.rig import Rig
from load_tests.faults.topics import ends
from streamgauge_client.topics import TOPICS

REST_SECONDS = 90.0
CLOSING_SECONDS = 30.0
SLOW_CLOSING_SECONDS = 5.0
#: What can go wrong with a run; the suite goes on with the next one.
NOT_DONE = (Stuck, RuntimeError, RedisError, KafkaException, OSError)


@dataclass
class Outcome:
    """What one run measured."""

    fault: str
    seed: int
    recount: Recount | None = None
    recovery: float | None = None
    down: float = 0.0
    peak_mb: float = 0.0
    seconds: float = 0.0
    notes: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    #: Promises of the row that were not kept.
    unmet: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Nothing lost, doubled or unequal, and every promise of the row was kept.

        A run without a recount has shown nothing.
        """
        r = self.recount
        equal = r is not None and not (r.lost or r.doubled) and r.alarms_equal and r.states_equal
        return equal and not self.unmet


def run(fault: Fault, broker: Broker, directory: Path, *, seed: int, number: int) -> Outcome:
    """Run a fault once, in topics and a directory of its own."""
    outcome = Outcome(fault.name, seed)
    started = time.monotonic()
    prefix = f"faults.{fault.name.replace('_', '-')}.{seed}-{number}"
    directory.mkdir(parents=True)
    with Rig(fault, broker, directory, prefix, random.Random(seed)) as rig:
        try:
            fault.strike(rig)
            outcome.recovery = rig.recovery.wait()
        except NOT_DONE as why:
            # Not reached is not shown, however well the recount ends.
            rig.unmet.append(f"stuck: {why}")
        try:
            outcome.recount = _rest(rig)
        except Exception as why:  # also of the processor itself, whatever a defect in it raises
            rig.remarks.append(f"no recount: {why!r}")
        outcome.down, outcome.peak_mb = rig.recovery.down_seconds, rig.workers.peak_mb
        outcome.notes, outcome.unmet = dict(rig.notes), rig.unmet
        outcome.remarks = rig.remarks + (outcome.recount.remarks if outcome.recount else [])
        if outcome.recount is not None:
            _judge_pipeline(fault, outcome)
        if rig.traffic.failed:
            outcome.remarks.append(f"{rig.traffic.failed} records were never acknowledged")
        if not outcome.passed:
            outcome.remarks.append(f"longest pause of the sender {rig.traffic.longest_pause:.2f} s")
    if outcome.passed:  # else they are evidence
        _delete_topics(broker, prefix)
    outcome.seconds = time.monotonic() - started
    return outcome


def _delete_topics(broker: Broker, prefix: str) -> None:
    """Or a broker that starts again has those of all runs to load."""
    # Held by a name: the answers never come once the client has been collected.
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    names = [topic.under(prefix) for topic in TOPICS]
    with contextlib.suppress(KafkaException):
        for future in admin.delete_topics(names, request_timeout=15).values():
            future.result(timeout=20)


def _rest(rig: Rig) -> Recount:
    """Send what is left, wait until nothing moves any more, and recount."""
    rig.traffic.hurry()
    rig.until(lambda: not rig.traffic.is_alive(), REST_SECONDS, "the traffic did not end")
    topic = f"{rig.prefix}.predictions"
    last = ends(rig.broker.servers, topic)
    try:
        rig.until(lambda: rig.store.positions() == last, REST_SECONDS, "not everything was read")
    except Stuck as why:
        rig.remarks.append(str(why))
    gone = rig.gone
    expected = expect(rig.broker.servers, rig.prefix, overrides(rig.monitoring), head=gone.counted)
    with contextlib.suppress(Stuck):  # then the recount says what differs
        # The last windows close as the clock goes on.
        seconds = rig.until(
            lambda: states_equal(expected, rig.store) and rig.store.outbox() == 0,
            CLOSING_SECONDS,
            "not at rest",
        )
        if seconds > SLOW_CLOSING_SECONDS:
            rig.notes["slow to close s"] += round(seconds)
    if late := sum(counts.get("prediction/late", 0) for counts in expected.counts.values()):
        rig.notes["late events"] += late
    expected.alarms |= gone.earlier.alarms
    expected.dead |= gone.earlier.dead
    found = compare(expected, rig.broker.servers, rig.prefix, rig.store, lost=gone.lost)
    if (there := found.records + len(gone.unread)) != rig.traffic.delivered:
        found.remarks.append(f"{rig.traffic.delivered} delivered, {there} in the topic")
    if found.dead != (poison := rig.traffic.poison + gone.dead):
        # The one count that no code of the product has made.
        found.lost += max(0, poison - found.dead)
        found.doubled += max(0, found.dead - poison)
        found.remarks.append(f"{poison} were poison, {found.dead} dead letters are due")
    if not found.alarms:
        found.remarks.append("no alarm was due, so none could be lost")
    return found


def _judge_pipeline(fault: Fault, outcome: Outcome) -> None:
    assert outcome.recount is not None
    raised = {rule: len(ids) for rule, ids in outcome.recount.pipeline.items()}
    for rule, wanted in fault.raises.items():
        found = raised.get(rule, 0)
        if not found or found != (wanted or found):
            outcome.unmet.append(f"{rule}: {found} of {wanted or 'some'} were raised")
    if extra := raised.keys() - fault.raises.keys():
        outcome.remarks.append(f"pipeline alarms nobody wanted: {sorted(extra)}")
