"""``make quiet``: the run, two models at a time."""

from __future__ import annotations

import argparse
import sys

from load_tests.quiet import drifts
from load_tests.quiet.plan import plan
from load_tests.quiet.report import lines
from load_tests.quiet.watch_model import Task, watch_task
from load_tests.quiet.workers import share
from streamgauge.specs.model_spec import ModelSpec


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m load_tests.quiet")
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drifts", type=int, default=0, help="models that drift, to be found")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="of these natures or names only, parted by commas")
    args = parser.parse_args()
    tasks = plan(args.models, args.days, args.seed)
    if args.only:
        wanted = set(args.only.split(","))
        tasks = [t for t in tasks if {t.recipe.nature, t.recipe.name} & wanted]
    failed = False
    if args.drifts:
        failed |= drift(args)
    if tasks:
        failed |= stay_quiet(args, tasks)
    return int(failed)


def stay_quiet(args: argparse.Namespace, tasks: list[Task]) -> bool:
    """Print how often something was said; true where that is more than the budget."""
    outcomes = list(
        share(
            watch_task,
            tasks,
            [task.cost for task in tasks],
            workers=args.workers,
            tell=lambda o: f"{o.recipe.name}: {len(o.alarms)} alarms, {o.seconds:.0f} s",
        )
    )
    budget = ModelSpec.default("any").false_alarms_per_month
    for line in lines(outcomes, days=args.days, budget=budget):
        print(line)
    allowed: float = len(outcomes) * args.days / 30.0 * budget
    return sum(len(outcome.alarms) for outcome in outcomes) > allowed


def drift(args: argparse.Namespace) -> bool:
    """Print which drifts were found in time; true where those are fewer than is promised."""
    tasks = sorted(
        (drifts.drift_task(args.seed, i) for i in range(args.drifts)), key=lambda t: -t.cost
    )
    results = list(
        share(
            drifts.find,
            tasks,
            [task.cost for task in tasks],
            workers=args.workers,
            tell=lambda f: (
                f"{f.recipe.name}: {f.windows} windows, {f.false} false, {f.seconds:.0f} s"
            ),
        )
    )
    for line in drifts.lines(sorted(results, key=lambda f: f.recipe.name)):
        print(line)
    clear = [each for each in results if drifts.stands_out(each.recipe)]
    return sum(map(drifts.in_time, clear)) < drifts.PROMISED * len(clear)


if __name__ == "__main__":
    sys.exit(main())
