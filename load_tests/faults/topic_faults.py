"""Faults of the source topics: more partitions, a head that is gone, another log."""

from __future__ import annotations

import signal
import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from load_tests.faults.gone import Gone
from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.store import PARTITIONS
from load_tests.faults.topics import ends, read
from load_tests.faults.traffic import Shape
from streamgauge_client.topics import SOURCES

GROWN = 8
#: Kafka's clients look for new partitions twice a minute; then there is a rebalance.
NOTICE_SECONDS = 60.0
#: Below the monitor's session, so that it is still a member when it goes on.
STOPPED_SECONDS = 4.0
#: Records of each partition that are still there when it goes on.
LEFT = 200


def _admin(rig: Rig) -> AdminClient:
    """To be held by a name: the answers never come once the client has been collected."""
    return AdminClient({"bootstrap.servers": rig.broker.servers, "log_level": 0})


@fault(
    shape=Shape(seconds=60.0, rows=48_000, partitions=GROWN),
    # Of all partitions the same one.
    raises={"PartitionsGrew": 1},
)
def topic_grown(rig: Rig) -> None:
    """All source topics go from 4 to 8 partitions under traffic: half of the models move."""
    rig.under_traffic(least=0.1, most=0.15)
    admin = _admin(rig)
    wanted = [NewPartitions(topic.under(rig.prefix), GROWN) for topic in SOURCES]
    for future in admin.create_partitions(wanted, request_timeout=15).values():
        future.result(timeout=20)
    before = rig.store.positions()
    rig.store.partitions = GROWN
    started = time.monotonic()
    rig.until(rig.store.acquired, NOTICE_SECONDS, "the new partitions were not taken")
    rig.notes["taken after s"] += round(time.monotonic() - started)
    rig.expect(rig.traffic.is_alive(), "traffic flows while the new partitions are taken")
    rig.recovery.since = dict.fromkeys(range(GROWN), 0) | before
    rig.recovery.wait()
    there = ends(rig.broker.servers, f"{rig.prefix}.predictions")
    rig.expect(len(there) == GROWN and all(there.values()), "all eight partitions have records")
    rig.expect(len(rig.workers.started) == 1, "the monitor's process goes on, and is none other")


@fault(shape=Shape(seconds=30.0), raises={"DataLoss": PARTITIONS})
def retention_overtakes(rig: Rig) -> None:
    """SIGSTOP, and the log's head is deleted beyond what was read: exactly that is told as lost."""
    (worker,) = rig.under_traffic(most=0.4)
    topic = f"{rig.prefix}.predictions"
    worker.signal(signal.SIGSTOP)
    durable = rig.store.positions()
    rig.pause(STOPPED_SECONDS)
    starts = {number: end - LEFT for number, end in ends(rig.broker.servers, topic).items()}
    head = [r for r in read(rig.broker.servers, topic) if r.offset < starts[r.partition]]
    admin = _admin(rig)
    cut = [TopicPartition(topic, number, start) for number, start in starts.items()]
    for future in admin.delete_records(cut, request_timeout=15).values():
        future.result(timeout=20)
    worker.signal(signal.SIGCONT)
    rig.recovery.cured()
    rig.until(
        lambda: all(rig.store.view(number).get("lost", 0) for number in starts),
        30,
        "no loss was told of every partition",
    )
    # What it had fetched before it was stopped, it has counted: only it knows how much that was.
    # That it tells the truth is seen by state and counts: they are of a pass with the same hole.
    begins = {number: start - rig.store.view(number)["lost"] for number, start in starts.items()}
    rig.gone = Gone(
        counted=[r for r in head if r.offset < begins[r.partition]],
        unread=[r for r in head if r.offset >= begins[r.partition]],
    )
    rig.notes["deleted unread"] += len(rig.gone.unread)
    for number, begin in begins.items():
        rig.expect(begin >= durable[number], f"partition {number}: what was durable is lost")
        said = (
            f"{starts[number] - begin} records of {topic}, partition {number}, were deleted before"
            f" group {rig.prefix} read them (offsets {begin} to {starts[number] - 1})"
        )
        rig.expect(rig.workers.said(said) == 1, f"it says once: {said}")
    rig.expect(len(rig.workers.started) == 1, "the monitor's process goes on, and is none other")
