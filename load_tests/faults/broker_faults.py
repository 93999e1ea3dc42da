"""Faults of Kafka: killed and restarted, and topics that are not there."""

from __future__ import annotations

from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.traffic import Shape

DOWN_SECONDS = 5.0


@fault(shape=Shape(seconds=40.0))
def broker_restart(rig: Rig) -> None:
    """kill -9 of the broker, five seconds down, back on the same port and data."""
    rig.under_traffic(most=0.3)
    rig.broker.kill()
    rig.pause(DOWN_SECONDS)
    rig.broker.start()
    rig.recovery.cured()


@fault(topics=False)
def topic_missing(rig: Rig) -> None:
    """The monitor starts before its topics are there: it waits, and begins once they are."""
    rig.workers.start()
    rig.until(lambda: rig.workers.said("waiting for topics") > 0, 30, "it does not say it waits")
    rig.recovery.struck()
    rig.create_topics()
    rig.recovery.since = dict.fromkeys(range(4), 0)
    rig.traffic.start()
