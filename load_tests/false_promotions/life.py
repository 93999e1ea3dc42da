"""A model's life: one challenger after the other, until one is promoted or none is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from load_tests.false_promotions.nature import BEYOND, DAY, NULLS, Nature, one_day, wander
from streamgauge.learning.always_valid import EVENTS
from streamgauge.learning.contest import Contest
from streamgauge.learning.promotion import PromotionPolicy

TRAFFIC = (60, 200, 600)
#: How often the usual way looks: every so many labels.
LOOK = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one comparison."""

    nature: Nature
    promoted: bool
    #: What is said by a test of events alone, valid for averages up to now, at any look.
    by_events_alone: bool
    #: What a z-test at 5 % says at any look, from 100 labels on.
    by_peeking: bool
    labels: int
    days: int


def policy(days: int) -> PromotionPolicy:
    """Automatic, and without an effect floor: the test alone is what is measured."""
    return PromotionPolicy(mode="automatic", minimum_effect=0.0, max_duration_seconds=days * DAY)


def compare(nature: Nature, k: int, days: int, rng: np.random.Generator) -> Outcome:
    """One challenger for at most so many days; the last day's labels come within them."""
    contest = Contest(
        model="m", champion="a", challenger="b", k=k, started_at=0.0, policy=policy(days)
    )
    differences = []
    for day in range(days):
        times, champion, challenger = one_day(nature, day, rng)
        contest.observe(times, champion, challenger)
        if not contest.over or contest.status == "promoted":
            differences.append(champion - challenger)
        if contest.over:
            break
    contest.advance((days + 1) * DAY)
    return Outcome(
        nature,
        contest.status == "promoted",
        *usual(np.concatenate(differences), contest.alpha),
        contest.test.n,
        contest.test.rounds,
    )


def usual(
    differences: np.ndarray[tuple[int], np.dtype[np.float64]], alpha: float
) -> tuple[bool, bool]:
    """What a test of events alone and a z-test would have said at one of their looks."""
    totals = np.cumsum(differences)[LOOK - 1 :: LOOK].tolist()
    squares = np.cumsum(differences**2)[LOOK - 1 :: LOOK].tolist()
    wanted = -np.log(alpha)
    events = any(
        s > 0 and s * s >= 2 * wanted * v and EVENTS.log_evidence(s, v) >= wanted
        for s, v in zip(totals, squares, strict=True)
    )
    # The variance of a mean is about its squares: the null's mean is 0.
    later = list(zip(totals, squares, strict=True))[100 // LOOK :]
    return events, any(s > 1.645 * v**0.5 for s, v in later)


def null_life(seed: int, comparisons: int, days: int) -> list[Outcome]:
    """Challengers of which none is better; the life is over when one is promoted."""
    rng = np.random.default_rng([seed, 0])
    traffic, nightly = int(rng.choice(TRAFFIC)), bool(seed % 2)
    outcomes = []
    for k in range(1, comparisons + 1):
        nature = Nature(NULLS[(seed + k) % len(NULLS)], 0.0, traffic, nightly)
        outcomes.append(compare(nature, k, days, rng))
        if outcomes[-1].promoted:
            break
    return outcomes


def better(seed: int, advantage: float, days: int) -> Outcome:
    """A model's first challenger, better by that, and at times better than at others."""
    rng = np.random.default_rng([seed, 1])
    traffic, nightly = TRAFFIC[seed % len(TRAFFIC)], bool(seed // len(TRAFFIC) % 2)
    name = ("equal", "wandering", "daily", "classes")[seed % 4]
    return compare(Nature(name, advantage, traffic, nightly), 1, days, rng)


def days_long(seed: int, days: int) -> Outcome:
    """No better in the long run, but for days at a time: half of it is left the next day."""
    rng = np.random.default_rng([seed, 2])
    by_day = tuple((0.06 * wander(days, 1.44 / days, rng)).tolist())
    nature = Nature(BEYOND, 0.0, TRAFFIC[seed % len(TRAFFIC)], bool(seed % 2), by_day)
    return compare(nature, 1, days, rng)
