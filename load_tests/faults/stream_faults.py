"""Faults of what is sent: poison, lateness, one loud model, too much."""

from __future__ import annotations

import time

from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.traffic import Shape


@fault(shape=Shape(burst=6_000), raises={"InvalidRatio": None})
def poison_burst(rig: Rig) -> None:
    """Nothing but poison for six thousand records in a row, beside the one in a hundred."""
    rig.start_workers()
    rig.traffic.start()
    rig.under_way(0.4, 0.4)
    rig.until(
        lambda: rig.traffic.sent >= 0.5 * (rig.traffic.total - 6_000), 60, "the burst never came"
    )
    rig.recovery.struck()


@fault(
    shape=Shape(disordered=0.2, too_late=0.01),
    monitoring={"GRACE_SECONDS": 2.0},
)
def late_events(rig: Rig) -> None:
    """A fifth of the events out of order within the grace, one in a hundred far behind it."""
    rig.start_workers()
    rig.traffic.start()
    rig.until(lambda: not rig.traffic.is_alive(), 60, "the traffic did not end")


@fault(shape=Shape(hot=0.9))
def hot_key(rig: Rig) -> None:
    """Nine of ten events are of one model; kill -9 in the middle of them."""
    (worker,) = rig.under_traffic()
    worker.kill()
    rig.recovery.cured()
    rig.workers.start()


@fault(shape=Shape(rows=120_000, seconds=0.0))
def overload(rig: Rig) -> None:
    """Everything at once, as fast as the broker takes it; then it is drained."""
    rig.start_workers()
    rig.recovery.struck()
    rig.traffic.start()
    rig.recovery.since = dict.fromkeys(range(4), 0)
    rig.recovery.wait()
    rig.until(lambda: not rig.traffic.is_alive(), 120, "the traffic did not end")
    sent = time.monotonic()
    rig.until(
        lambda: sum(rig.store.positions().values()) >= rig.traffic.delivered, 120, "never drained"
    )
    drained = time.monotonic()
    assert rig.recovery.struck_at is not None
    rig.notes["records/s"] += round(rig.traffic.delivered / (drained - rig.recovery.struck_at))
    rig.notes["drained after s"] += round(drained - sent)
