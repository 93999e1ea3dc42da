"""``python -m load_tests.false_promotions``: lives without a better challenger, and with."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from statistics import median

from load_tests.false_promotions.life import TRAFFIC, Outcome, better, days_long, null_life

#: False promotions allowed in a hundred lives, and the power that is wanted.
ALLOWED, WANTED = 0.05, 0.9


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m load_tests.false_promotions")
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--comparisons", type=int, default=8, help="challengers of a life")
    parser.add_argument("--days", type=int, default=40, help="the longest comparison")
    parser.add_argument("--better", type=int, default=200, help="challengers that are better")
    parser.add_argument("--advantage", type=float, default=0.05, help="of those, in accuracy")
    parser.add_argument("--beyond", type=int, default=200, help="advantages that last for days")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    first = args.seed * 1_000_000
    started, lives, wins = time.perf_counter(), [], []
    for i in range(args.lives):
        lives.append(null_life(first + i, args.comparisons, args.days))
        tell("lives", i + 1, args.lives, started)
    started = time.perf_counter()
    for i in range(args.better):
        wins.append(better(first + i, args.advantage, args.days))
        tell("better ones", i + 1, args.better, started)
    started, long = time.perf_counter(), []
    for i in range(args.beyond):
        long.append(days_long(first + i, args.days).promoted)
        tell("beyond the promise", i + 1, args.beyond, started)
    if long:
        print(
            f"beyond the promise, advantages that last for days, first comparison: "
            f"{sum(long)} of {len(long)} promoted"
        )
    return int(report(lives, wins))


def tell(what: str, done: int, whole: int, started: float) -> None:
    """Say on stderr how far it is, every twentieth of the way."""
    if done % max(whole // 20, 1) == 0:
        passed = time.perf_counter() - started
        left = passed * (whole - done) / done
        print(f"{what}: {done}/{whole}, about {left:.0f} s left", file=sys.stderr, flush=True)


def report(lives: list[list[Outcome]], wins: list[Outcome]) -> bool:
    """Print what was found; true where it is not what is promised."""
    every = [outcome for life in lives for outcome in life]
    print(f"comparisons without a better one: {len(every)}, {sum(o.labels for o in every)} labels")
    ways: dict[str, Callable[[Outcome], bool]] = {
        "promoted": lambda o: o.promoted,
        "would be by events alone, at any look": lambda o: o.by_events_alone,
        "would be by a z-test at 5 %, at any look": lambda o: o.by_peeking,
    }
    for name, said in ways.items():
        natures = Counter(o.nature.name for o in every if said(o))
        ends = sum(any(map(said, life)) for life in lives)
        print(f"  {name}: {ends} lives; comparisons: {dict(sorted(natures.items()))}")
    for traffic in TRAFFIC:
        some = [o for o in wins if o.nature.labels_a_day == traffic]
        won = [o for o in some if o.promoted]
        if won:
            print(
                f"  better, {traffic} labels a day: {len(won)} of {len(some)} promoted, median of "
                f"{median(o.labels for o in won):.0f} labels and "
                f"{median(o.days for o in won):.0f} days"
            )
    false = sum(life[-1].promoted for life in lives)
    ratio = false / len(lives) if lives else 0.0
    power = sum(o.promoted for o in wins) / len(wins) if wins else 0.0
    labels = [o.labels for o in wins if o.promoted]
    shown = f"{median(labels):.0f}" if labels else "none"
    print(
        f"promotions: lives={len(lives)} false={false} ratio={ratio:.4f} power={power:.3f} "
        f"median_labels_to_promote={shown}"
    )
    return ratio > ALLOWED or (bool(wins) and power < WANTED)


if __name__ == "__main__":
    sys.exit(main())
