"""One monitor for a long time: traffic, an outage a minute, and what its memory does.

python -m load_tests.faults.soak [--minutes 30]

The monitor's process is never restarted: what it does not give back shows. Its resident memory is
read every few seconds, and a line is laid through what comes after the warm-up. At the end the log
is recounted as after any other fault.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from load_tests.faults import report
from load_tests.faults.broker import Broker
from load_tests.faults.recovery import Stuck
from load_tests.faults.registry import Fault
from load_tests.faults.rig import Rig
from load_tests.faults.run import run
from load_tests.faults.traffic import Shape

RATE = 250
#: Memory is read so often, and something is taken away so often.
LOOK_SECONDS, OUTAGE_SECONDS = 5.0, 60.0
#: The part of the time that is not looked at: pools and caches fill.
WARM_UP = 1 / 3


class Soak:
    """Takes something away every minute and reads the monitor's memory meanwhile."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        #: Seconds since the beginning, and megabytes then.
        self.looks: list[tuple[float, float]] = []
        self.outages: list[str] = []

    def strike(self, rig: Rig) -> None:
        """Outages of Redis, of the broker and of the process itself, one a minute."""
        rig.start_workers()
        rig.traffic.start()
        started = time.monotonic()
        acts = itertools.cycle([_redis_restarts, _monitor_stands, _broker_restarts, _redis_wiped])
        outage_at = OUTAGE_SECONDS
        while (passed := time.monotonic() - started) < self._seconds:
            self._look(rig, passed)
            if passed >= outage_at:
                outage_at += OUTAGE_SECONDS
                self._take_away(rig, next(acts))
            rig.pause(LOOK_SECONDS)
        rig.expect(len(rig.workers.started) == 1, "the monitor's process goes on")
        rig.notes["outages"] += len(self.outages)

    def _take_away(self, rig: Rig, act: Callable[[Rig], None]) -> None:
        rig.recovery.again()
        rig.recovery.struck()
        act(rig)
        rig.recovery.cured()
        rig.recovery.wait()
        self.outages.append(act.__name__)
        print(
            f"soak: {self.looks[-1][0] / 60:.0f} of {self._seconds / 60:.0f} minutes,"
            f" {self.looks[-1][1]:.1f} MB, {act.__name__.strip('_').replace('_', ' ')}:"
            f" resumed after {rig.recovery.seconds or 0.0:.1f} s",
            file=sys.stderr,
            flush=True,
        )

    def _look(self, rig: Rig, passed: float) -> None:
        worker = rig.workers.started[0]
        if worker.process.poll() is not None:
            raise Stuck(f"the monitor ended with code {worker.process.returncode}")
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        self.looks.append((passed, int(status.partition("VmRSS:")[2].split()[0]) / 1024))


def _redis_restarts(rig: Rig) -> None:
    rig.redis.kill()
    rig.pause(2.0)
    rig.redis.start()


def _redis_wiped(rig: Rig) -> None:
    rig.redis.client.flushall()


def _broker_restarts(rig: Rig) -> None:
    rig.broker.kill()
    rig.pause(5.0)
    rig.broker.start()


def _monitor_stands(rig: Rig) -> None:
    worker = rig.workers.started[0]
    worker.signal(signal.SIGSTOP)
    rig.pause(4.0)
    worker.signal(signal.SIGCONT)


def slope(looks: list[tuple[float, float]]) -> tuple[float, float]:
    """Growth of memory in megabytes an hour, by least squares, and its standard error.

    ``looks`` are seconds and megabytes. The error takes looks for independent, so it is the least
    that there is.

    >>> slope([(0.0, 100.0), (1800.0, 101.0), (3600.0, 102.0)])
    (2.0, 0.0)
    """
    hours, megabytes = np.array(looks).T
    hours = (hours - hours.mean()) / 3600
    weight = float(hours @ hours)
    steep = float(hours @ megabytes) / weight
    off = megabytes - megabytes.mean() - steep * hours
    error = float(np.sqrt(off @ off / max(len(looks) - 2, 1) / weight))
    return round(steep, 2), round(error, 2)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.faults.soak", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default 1)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds = 60.0 * args.minutes
    soak = Soak(seconds)
    fault = Fault(
        name="soak",
        strike=soak.strike,
        shape=Shape(rows=round(RATE * seconds), seconds=seconds, span=seconds),
        settings={"CHECKPOINT__SNAPSHOT_SECONDS": "10"},
    )
    directory = Path(tempfile.mkdtemp(prefix="streamgauge-soak-"))
    (directory / "kafka").mkdir()
    broker = Broker(directory / "kafka")
    try:
        broker.start()
        outcome = run(fault, broker, directory / "soak", seed=args.seed, number=0)
    finally:
        broker.kill()
    print(*report.table([outcome]), *outcome.unmet, *outcome.remarks, sep="\n")
    warm = [look for look in soak.looks if look[0] >= WARM_UP * seconds]
    if len(warm) < 3:
        print("the time was too short to tell a slope from it", file=sys.stderr)
        return 1
    steep, error = slope(warm)
    counted = outcome.recount
    print(
        f"soak: minutes={args.minutes:g} outages={len(soak.outages)}"
        f" lost={counted.lost if counted else '-'} duplicated={counted.doubled if counted else '-'}"
        f" alarm_sets_equal={int(counted is not None and counted.alarms_equal)}/1"
        f" rss_mb={warm[0][1]:.1f}..{warm[-1][1]:.1f} peak_mb={outcome.peak_mb:.1f}"
        f" slope_mb_per_h={steep:g} standard_error={error:g}"
    )
    if outcome.passed:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"logs: {directory}", file=sys.stderr)
    return int(not outcome.passed)


if __name__ == "__main__":
    sys.exit(main())
