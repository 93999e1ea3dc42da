"""Faults of the way to Redis: slow answers, and answers that never come."""

from __future__ import annotations

from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.store import PARTITIONS
from load_tests.faults.traffic import Shape

SLOW_SECONDS = (0.005, 0.05, 0.5)
CUTS = 12


@fault(proxied=True, shape=Shape(seconds=24.0))
def redis_latency(rig: Rig) -> None:
    """Every answer of Redis 5, 50, then 500 ms late, two seconds each."""
    rig.under_traffic(most=0.3)
    for rig.proxy.latency in SLOW_SECONDS:
        rig.pause(2.0)
    rig.proxy.latency = 0.0
    rig.recovery.cured()


@fault(proxied=True, shape=Shape(seconds=30.0))
def redis_cut_after_forwarding(rig: Rig) -> None:
    """Every third answer is cut after the request was handed on: was it written, or not?"""
    rig.under_traffic(most=0.3)
    rig.proxy.cut_share = 0.3
    rig.until(lambda: rig.proxy.cuts >= CUTS, 60, "too few answers to cut")
    rig.proxy.cut_share = 0.0
    rig.recovery.cured()
    rig.notes["cuts"] += rig.proxy.cuts
    rig.notes["ambiguous"] += rig.workers.said("the answer of Redis did not come")


@fault(proxied=True, shape=Shape(seconds=40.0))
def redis_timeout(rig: Rig) -> None:
    """Answers are swallowed until each has run into a time-out: written, and nobody knows."""
    rig.under_traffic(most=0.2)
    rig.proxy.swallow_share = 1.0
    unanswered = "the answer of Redis did not come"
    rig.until(lambda: rig.workers.said(unanswered) >= PARTITIONS, 30, "nothing timed out")
    rig.proxy.swallow_share = 0.0
    rig.recovery.cured()
    rig.recovery.wait()
    rig.notes["swallowed"] += rig.proxy.swallowed
    rig.notes["ambiguous"] += rig.workers.said(unanswered)


@fault(proxied=True, shape=Shape(seconds=45.0))
def redis_late_duplicate(rig: Rig) -> None:
    """Checkpoints held on the way until later ones were accepted: they must be refused."""
    rig.under_traffic(most=0.2)
    # The monitor waits five seconds for an answer, asks what stands, and writes again.
    rig.proxy.hold_seconds, rig.proxy.to_hold = 9.0, PARTITIONS
    rig.until(lambda: len(rig.proxy.late_answers) == PARTITIONS, 60, "they never came")
    rig.recovery.cured()
    rig.notes["late"] += PARTITIONS
    rig.notes["late refused"] += sum(b"CONFLICT" in a for a in rig.proxy.late_answers)
