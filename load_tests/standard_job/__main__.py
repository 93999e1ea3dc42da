"""The program: measure, print, write down, compare with the budget."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from load_tests import standard_job
from load_tests.standard_job import budgets, growth, latency, machine, outcome, peers, rounds, table
from load_tests.standard_job.bench import prepared, say
from load_tests.standard_job.cores import Cores, Failed
from load_tests.standard_job.outcome import Outcome
from load_tests.standard_job.registry import Way, missing_peers, ways
from load_tests.standard_job.site import missing

RESULTS = Path(__file__).parent / "results"
LATENCY, GROWTH = "latency", "growth"


def main() -> int:
    args = _arguments()
    if args.peers:
        for peer in peers.PEERS:
            peers.install(peer)
        return 0
    # A terminated run ends its processes as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cores = Cores.choose()
    where = machine.describe(cores)
    if cores.measured == cores.others:
        say("there is one core only: Kafka and the generator compete with what is measured")
    gone = missing() | missing_peers()
    wanted = _wanted(args.only, gone)
    cores.take_other()
    directory = Path(tempfile.mkdtemp(prefix="streamgauge-job-"))
    try:
        found = _measure(
            args,
            wanted,
            cores,
            directory,
            alarms=args.only is None or LATENCY in args.only,
            gone=gone,
        )
    except KeyboardInterrupt:
        say("interrupted")
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    verdicts = budgets.judge(found.figures(), budgets.read())
    file = args.json or RESULTS / time.strftime("%Y%m%d-%H%M%S.json", time.gmtime())
    outcome.write(file, found, verdicts, where)
    _report(found, verdicts, wanted)
    print(f"written: {file}; load average at the start {where['load_average'][0]:.1f}")
    print(table.last_line(found.last()))
    return int(bool(found.failed) or any(each.below for each in verdicts))


def _measure(
    args: argparse.Namespace,
    wanted: Sequence[Way],
    cores: Cores,
    directory: Path,
    *,
    alarms: bool,
    gone: dict[str, str],
) -> Outcome:
    monitored = not {"kafka", "redis"} & set(gone)
    needed = {need for way in wanted for need in way.needs}
    if (alarms or args.growth) and not monitored:
        say("alarms and two workers are left out: no real Kafka and Redis")
    live = monitored and (alarms or args.growth or "redis" in needed)
    with prepared(
        directory,
        args.events,
        cores,
        kafka=live or "kafka" in needed,
        monitored=live,
        columns=any(way.name == "monitor_columns" for way in wanted),
    ) as bench:
        done = rounds.run(wanted, bench, args.rounds)
        site = bench.site
        failed = [way.name for way in wanted for found in done if way.name not in found]
        heard, grown = None, {}
        try:
            if alarms and live and site is not None:
                heard = latency.measure(site, cores)
            if args.growth:
                grown = growth.measure(bench, monitored=live)
        except Failed as why:
            say(f"FAILED: {why}")
            failed.append(GROWTH if heard is not None or not alarms else LATENCY)
    return Outcome(rounds=done, latency=heard, growth=grown, failed=tuple(failed))


def _wanted(only: Sequence[str] | None, gone: dict[str, str]) -> list[Way]:
    """The ways that were asked for and can be; says of each other one why not."""
    chosen = [way for name, way in ways().items() if only is None or name in only]
    kept = []
    for way in chosen:
        if reasons := [gone[need] for need in way.needs if need in gone]:
            say(f"{way.name}: {'; '.join(reasons)}")
        else:
            kept.append(way)
    return kept


def _report(found: Outcome, verdicts: Sequence[budgets.Verdict], wanted: Sequence[Way]) -> None:
    print(*table.rows(found.rounds, {way.name: way.says for way in wanted}), sep="\n")
    if found.latency is not None:
        print(table.alarms(found.latency))
    print(*growth.lines(found.growth), sep="\n", end="\n" if found.growth else "")
    print(*table.budget(verdicts), sep="\n")
    if found.failed:
        print(f"FAILED, so not measured: {', '.join(sorted(set(found.failed)))}")


def _names(text: str) -> list[str]:
    names = text.split(",")
    known = [*ways(), LATENCY]
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(
            f"no way is called {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return names


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {way.name:<17}{way.says}" for way in ways().values())
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.standard_job",
        description=standard_job.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"ways:\n{listed}\n  {LATENCY:<17}from an event to its alarm, at 2,000 events/s\n\n"
        "What needs Java, Maven or a Redis that is not here is left out, and said to be. Exit code"
        " 1:\na way failed, or a ratio is below load_tests/budgets.toml.",
    )
    parser.add_argument("--events", type=int, default=150_000, help="of the log (default 150000)")
    parser.add_argument("--rounds", type=int, default=3, help="of all ways in turns (default 3)")
    parser.add_argument("--only", type=_names, help="these ways only, parted by commas")
    parser.add_argument("--growth", action="store_true",
                        help="also by features, models, slices and workers")  # fmt: skip
    parser.add_argument("--json", type=Path, help="write there (default: results/ beside this)")
    parser.add_argument("--peers", action="store_true",
                        help="install whylogs and Evidently, each by itself, and end")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
