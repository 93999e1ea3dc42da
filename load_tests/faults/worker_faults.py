"""Faults of the monitor's own process: killed, stopped, told to end, joined by others."""

from __future__ import annotations

import signal
import subprocess
import time

from load_tests.faults.recovery import Stuck
from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.store import Store
from load_tests.faults.traffic import Shape
from load_tests.faults.workers import Worker

#: What the monitor may take to end in order.
STOP_SECONDS = 5.0


@fault()
def kill9_random(rig: Rig) -> None:
    """kill -9 at a random moment, restarted in place; at times again while it recovers."""
    (worker,) = rig.start_workers()
    rig.traffic.start()
    rig.under_way()
    rig.pause(rig.rng.uniform(0.0, 1.0))
    rig.recovery.struck()
    worker.kill()
    if rig.rng.random() < 0.3:
        worker = rig.workers.start()
        rig.pause(rig.rng.uniform(0.5, 3.0))
        worker.kill()
    rig.recovery.cured()
    rig.workers.start()


@fault(workers=2, shape=Shape(seconds=24.0))
def kill9_peer(rig: Rig) -> None:
    """kill -9 of one of two monitors, which stays away: the other takes over."""
    worker, _ = rig.under_traffic(most=0.3)
    worker.kill()
    rig.recovery.cured()


@fault()
def sigterm(rig: Rig) -> None:
    """SIGTERM under load, then a start: out in 5 s, with code 0."""
    (worker,) = rig.under_traffic()
    worker.signal(signal.SIGTERM)
    try:
        code = worker.process.wait(timeout=4 * STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        raise Stuck("the monitor did not end after SIGTERM") from None
    assert rig.recovery.struck_at is not None
    seconds = time.monotonic() - rig.recovery.struck_at
    if code != 0 or seconds > STOP_SECONDS:
        rig.remarks.append(f"SIGTERM: code {code} after {seconds:.1f} s")
    rig.workers.start()


@fault(workers=2, shape=Shape(seconds=45.0))
def zombie(rig: Rig) -> None:
    """SIGSTOP until another has taken over, then SIGCONT: what it still holds is refused."""
    stopped, _ = rig.under_traffic(most=0.2)
    rig.next_generation(lambda: stopped.signal(signal.SIGSTOP))
    # Not "cured": it stands still as long as the other works. Recovery is by the other.
    rig.recovery.since = rig.store.positions()
    rig.recovery.wait()
    rig.next_generation(lambda: stopped.signal(signal.SIGCONT))
    rig.notes["fenced"] += rig.workers.said("was taken by another owner")
    rig.notes["given up"] += rig.workers.said("it is given up")


@fault(shape=Shape(seconds=45.0))
def rebalance_storm(rig: Rig) -> None:
    """A second monitor joins and leaves three times; recovery is the longest stall of any."""
    rig.start_workers()
    rig.traffic.start()
    rig.under_way(most=0.2)
    stalls = Stalls(rig.store)
    rig.watch = stalls.note
    rig.recovery.struck()
    for _ in range(3):
        # No static member: such a one could leave only by the end of its session.
        started: list[Worker] = []
        rig.next_generation(lambda s=started: s.append(rig.workers.start(None)))  # type: ignore[misc]
        rig.next_generation(lambda s=started: s[0].signal(signal.SIGTERM))  # type: ignore[misc]
    rig.recovery.since = rig.store.positions()
    rig.recovery.wait()
    rig.watch = None
    rig.recovery.seconds = stalls.longest


class Stalls:
    """The longest time for which a partition made no checkpoint."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[int, tuple[int, float]] = {}
        self.longest = 0.0

    def note(self) -> None:
        now = time.monotonic()
        for number, position in self._store.positions().items():
            before, since = self._seen.get(number, (-1, now))
            self.longest = max(self.longest, now - since)
            self._seen[number] = (position, now if position != before else since)
