"""A source topic that is deleted and made anew: another log under the name, never read as the old.

What was counted stays as it was until a person has decided: the log says how, the rig does that,
and then the new log is counted from its first record.
"""

from __future__ import annotations

import signal
import time

from confluent_kafka.admin import AdminClient

from load_tests.faults.expected import Expected, expect, states_equal
from load_tests.faults.gone import Gone
from load_tests.faults.overrides import overrides
from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.sender import Sender
from load_tests.faults.store import PARTITIONS
from load_tests.faults.traffic import Shape, make
from streamgauge.state.keys import checkpoint_key

OLD = Shape(rows=16_000, seconds=5.0)
#: Its partitions are far shorter than those of the old log, or longer. No poison: a place in the
#: old log and the same place in the new one would be told apart by nothing.
SHORTER = Shape(rows=2_000, seconds=0.0, poison_every=1_000_000)
LONGER = Shape(rows=24_000, seconds=0.0, poison_every=1_000_000)
#: Longer than the monitor takes for no silence, and shorter than its session.
STOPPED_SECONDS = 3.0
#: A refused partition looks every ten seconds whether a person has decided.
LOOKS_AGAIN_SECONDS = 12.0
RAISES = {"LogTruncated": PARTITIONS, "StateLost": PARTITIONS}


@fault(shape=OLD, raises=RAISES)
def topic_recreated(rig: Rig) -> None:
    """A topic deleted and made anew: refused, and said once however the new log grows."""
    old = _all_counted(rig)
    _make_anew(rig)
    seconds = rig.until(lambda: _refused(rig) == PARTITIONS, 60, "it is not refused everywhere")
    rig.notes["refused after s"] += round(seconds)
    new = _send(rig, SHORTER)
    rig.pause(LOOKS_AGAIN_SECONDS)
    _go_on_as_told(rig, old, new)


@fault(shape=OLD, raises=RAISES)
def topic_recreated_longer(rig: Rig) -> None:
    """The same while the monitor looks away, and the new log is the longer one: no silent skip."""
    old = _all_counted(rig)
    (worker,) = rig.workers.started
    worker.signal(signal.SIGSTOP)
    _make_anew(rig)
    new = _send(rig, LONGER)
    # A silence counts from two seconds on: what happens within a shorter one is not seen.
    rig.pause(STOPPED_SECONDS)
    worker.signal(signal.SIGCONT)
    seconds = rig.until(lambda: _refused(rig) == PARTITIONS, 60, "it is not refused everywhere")
    rig.notes["refused after s"] += round(seconds)
    _go_on_as_told(rig, old, new)


def _all_counted(rig: Rig) -> Expected:
    """Send the old log, and wait until it is counted to its end."""
    rig.start_workers()
    rig.traffic.start()
    rig.until(lambda: not rig.traffic.is_alive(), 60, "the traffic did not end")
    expected = expect(rig.broker.servers, rig.prefix, overrides(rig.monitoring))
    rig.until(
        lambda: _untouched(rig, expected) and rig.store.outbox() == 0, 60, "it was not counted"
    )
    return expected


def _untouched(rig: Rig, old: Expected) -> bool:
    """Whether the store has what the old log gave, no more and no less."""
    counts = {number: rig.store.view(number).get("counts", {}) for number in old.counts}
    return (
        rig.store.positions() == old.ends
        and {n: {k: v for k, v in c.items() if v} for n, c in counts.items()} == old.counts
        and states_equal(old, rig.store)
    )


def _make_anew(rig: Rig) -> None:
    # Held by a name: the answers never come once the client has been collected.
    admin = AdminClient({"bootstrap.servers": rig.broker.servers, "log_level": 0})
    topic = f"{rig.prefix}.predictions"
    for future in admin.delete_topics([topic], request_timeout=15).values():
        future.result(timeout=20)
    rig.until(lambda: topic not in admin.list_topics(timeout=10).topics, 20, "it is still there")
    rig.create_topics()


def _send(rig: Rig, shape: Shape) -> Sender:
    items = make(shape, rig.rng.randrange(2**31), time.time())
    sender = Sender(rig.broker.servers, f"{rig.prefix}.predictions", items, shape.seconds)
    sender.start()
    rig.until(lambda: not sender.is_alive(), 60, "the new log was not sent")
    return sender


def _refused(rig: Rig) -> int:
    """How many partitions are refused."""
    return sum(rig.workers.said(f"partition {n} is refused") > 0 for n in range(PARTITIONS))


def _go_on_as_told(rig: Rig, old: Expected, new: Sender) -> None:
    """See that nothing has moved; then do what the log says, and the new log is counted."""
    rig.expect(_untouched(rig, old), "what was counted before stays as it was")
    rig.expect(len(rig.workers.started) == 1, "the monitor's process goes on, and is none other")
    keys = [checkpoint_key(rig.prefix, number) for number in range(PARTITIONS)]
    for key in keys:
        rig.expect(rig.workers.said(f"delete the key {key} in Redis") > 0, f"it says: delete {key}")
    rig.traffic, rig.gone = new, Gone(earlier=old)
    rig.recovery.struck()
    rig.redis.client.delete(*keys)
    rig.recovery.since = dict.fromkeys(range(PARTITIONS), 0)
    rig.recovery.wait()
