"""The suite: every fault, some runs each, one after the other."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from load_tests.faults import report
from load_tests.faults.broker import Broker
from load_tests.faults.registry import Fault, faults
from load_tests.faults.run import Outcome, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m load_tests.faults")
    parser.add_argument("--runs", type=int, default=1, help="of each fault")
    parser.add_argument("--only", help="these faults only, parted by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="say which faults there are")
    parser.add_argument("--keep", type=Path, help="keep logs and data of all runs there")
    args = parser.parse_args()
    known = faults()
    if args.list:
        for fault in known.values():
            print(f"{fault.name:<30}{fault.says}")
        return 0
    names = args.only.split(",") if args.only else list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no fault is called {', '.join(unknown)}; --list says which there are")
    # A terminated suite ends its processes as an interrupted one does, in the background too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    directory = args.keep or Path(tempfile.mkdtemp(prefix="streamgauge-faults-"))
    directory.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    try:
        suite([known[name] for name in names], directory, outcomes, runs=args.runs, seed=args.seed)
    except KeyboardInterrupt:
        print("interrupted; the table holds the runs that were finished", file=sys.stderr)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if failed and not args.keep:
        print(f"logs of the runs: {directory}", file=sys.stderr)
    elif not args.keep:
        shutil.rmtree(directory, ignore_errors=True)
    if not outcomes:
        return 1
    print(*report.table(outcomes), sep="\n")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"on {os.cpu_count()} cores, shared: load average {load} (1, 5, 15 minutes)")
    print(report.last_line(outcomes))
    return int(bool(failed) or len(outcomes) < len(names) * args.runs)


def suite(
    wanted: list[Fault], directory: Path, outcomes: list[Outcome], *, runs: int, seed: int
) -> None:
    """Run them all on one broker. ``outcomes`` grows as runs end."""
    (directory / "kafka").mkdir(exist_ok=True)
    broker = Broker(directory / "kafka")
    try:
        broker.start()
        for fault in wanted:
            for number in range(runs):
                place = directory / f"{fault.name}-{number}"
                outcome = run(fault, broker, place, seed=seed + number, number=number)
                outcomes.append(outcome)
                print(
                    report.progress(outcome, len(outcomes), runs * len(wanted)),
                    file=sys.stderr,
                    flush=True,
                )
    finally:
        broker.kill()


if __name__ == "__main__":
    sys.exit(main())
