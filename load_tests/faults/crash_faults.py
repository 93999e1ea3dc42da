"""kill -9 at the points of the protocol where it is hardest, by a monitor that kills itself."""

from __future__ import annotations

from functools import partial

from load_tests.faults.crashing_monitor import AT, POINT, POINTS
from load_tests.faults.registry import Fault, add
from load_tests.faults.rig import Rig

MODULE = "load_tests.faults.crashing_monitor"
#: At which of so many times that it comes by; alarms are few.
MOST = 40
#: These points come by only when an alarm is under way.
WITH_ALARM = ("after_compare_and_set", "after_publish")


def _crash(rig: Rig, point: str) -> None:
    most = 3 if point in WITH_ALARM else MOST
    # Often the very first time: a partition's first checkpoint has nothing before it.
    at = 1 if rig.rng.random() < 0.25 else rig.rng.randint(1, most)
    extra = {POINT: point, AT: str(at)}
    worker = rig.workers.start(module=MODULE, **extra)
    worker.ending = True
    rig.until(rig.store.acquired, 40, "no partition was taken")
    rig.traffic.start()
    rig.until(lambda: worker.process.poll() is not None, 90, f"it never came to {point}")
    rig.recovery.struck()
    rig.recovery.cured()
    rig.workers.start()


for _point, _says in POINTS.items():
    _strike = partial(_crash, point=_point)
    _strike.__doc__ = f"kill -9 {_says}, restarted in place."
    add(Fault(name=f"kill9_{_point}", strike=_strike))
