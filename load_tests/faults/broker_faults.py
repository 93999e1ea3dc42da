"""Faults of Kafka: killed and restarted, and topics that are not there."""

from __future__ import annotations

import time
from functools import partial

from load_tests.faults.registry import Fault, add, fault
from load_tests.faults.rig import Rig
from load_tests.faults.traffic import Shape

#: How long the monitor may take from an open port to a checkpoint on every partition.
RESUME_SECONDS = 10.0
#: How long the broker stays dead, and over how many seconds traffic is spread. It has to come
#: back under traffic, and takes longer to start than five seconds.
DOWN = {5: 40.0, 60: 120.0}


def _broker_down(rig: Rig, seconds: float) -> None:
    rig.under_traffic(least=0.05, most=0.12)
    before = rig.workers.peak_mb
    rig.broker.kill()
    rig.pause(seconds)
    rig.broker.start()
    opened = time.monotonic()
    rig.recovery.cured()
    rig.recovery.wait()
    resumed = time.monotonic() - opened
    rig.notes["resumed after ms"] += round(resumed * 1000)
    rig.notes["RSS + MB"] += round(rig.workers.peak_mb - before)
    rig.expect(
        resumed <= RESUME_SECONDS,
        f"resumed {resumed:.1f} s after the port opened, and may take {RESUME_SECONDS:g} s",
    )
    rig.expect(len(rig.workers.started) == 1, "the monitor's process goes on, and is none other")


for _seconds, _spread in DOWN.items():
    _strike = partial(_broker_down, seconds=float(_seconds))
    _strike.__doc__ = f"kill -9 of the broker, restarted on its port and data {_seconds} s later."
    add(Fault(name=f"broker_down_{_seconds}s", strike=_strike, shape=Shape(seconds=_spread)))


@fault(topics=False)
def topic_missing(rig: Rig) -> None:
    """The monitor starts before its topics are there: it waits, and begins once they are."""
    rig.workers.start()
    rig.until(lambda: rig.workers.said("waiting for topics") > 0, 30, "it does not say it waits")
    rig.recovery.struck()
    rig.create_topics()
    rig.recovery.since = dict.fromkeys(range(4), 0)
    rig.traffic.start()
