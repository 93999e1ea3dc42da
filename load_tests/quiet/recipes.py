"""The recipe of one made-up model: its nature, rate, columns and deploys, all from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from load_tests.quiet.columns import CategoryColumn, Column, NumericColumn
from load_tests.quiet.movement import DAY, Floats, Movement, daily, weekend

NATURES = ("steady", "autocorrelated", "seasonal", "heavy tails", "deploys", "everything")
SLOWEST, FASTEST = 1 / 60, 1000.0
#: A Monday, 00:00 UTC.
START = 20_717 * DAY
#: How long a new version is tried beside the old one, in seconds, and on which share.
CANARY, CANARY_SHARE = 3600.0, 0.1
ERRORS = 0.003
COUNTRIES = (("de", 30), ("fr", 22), ("us", 18), ("es", 12), ("it", 9), ("nl", 5), ("se", 3))
PLANS = (("free", 60), ("team", 30), ("firm", 10))


class Shift(NamedTuple):
    """From ``time`` on a column's path lies ``size`` deviations of its noise higher."""

    column: str
    time: float
    size: float


@dataclass(frozen=True)
class Recipe:
    """One model. ``rate`` is in events a second, ``deploys`` are (start, version, on trial first).

    ``latency`` is in seconds; ``busy`` moves the rate over the day, ``idle`` at the weekend. Only a
    model that is to be found out has a ``shift``.
    """

    name: str
    nature: str
    seed: tuple[int, int]
    rate: float
    start: float
    features: tuple[Column, ...]
    score: NumericColumn
    latency: NumericColumn
    deploys: tuple[tuple[float, str, bool], ...]
    busy: float = 0.0
    idle: float = 0.0
    shift: Shift | None = None

    def rates(self, times: Floats) -> Floats:
        """Events a second at the times (n,)."""
        shape = (1 + self.busy * daily(times, 0.6)) * (1 - self.idle * weekend(times))
        return self.rate * shape

    def shares(self, time: float) -> tuple[tuple[str, float], ...]:
        """Which versions predict at a time, and on which share of events."""
        at = max(i for i, deploy in enumerate(self.deploys) if deploy[0] <= time or not i)
        start, version, tried = self.deploys[at]
        if tried and time < start + CANARY:
            return ((self.deploys[at - 1][1], 1 - CANARY_SHARE), (version, CANARY_SHARE))
        return ((version, 1.0),)


def recipe(seed: int, index: int, *, days: float) -> Recipe:
    """The ``index``-th model of a run: natures by turns, rates log-uniform."""
    rng = np.random.default_rng([seed, index])
    nature = NATURES[index % len(NATURES)]
    rate = math.exp(rng.uniform(math.log(SLOWEST), math.log(FASTEST)))
    # Some begin at night, some on a Saturday.
    start = START + float(rng.integers(0, 7 * 24)) * 3600.0
    noisy, seasonal = (nature in (own, "everything") for own in ("autocorrelated", "seasonal"))
    heavy, deployed = (nature in (own, "everything") for own in ("heavy tails", "deploys"))
    part = 0.6 if nature == "everything" else 1.0
    phase = float(rng.random())

    def moving(scale: float = 1.0) -> Movement:
        scale *= part
        return Movement(
            noise=scale * float(rng.uniform(0.2, 0.7)) if noisy else 0.0,
            memory=math.exp(rng.uniform(math.log(10.0), math.log(7200.0))),
            day=scale * float(rng.uniform(0.2, 1.0)) if seasonal else 0.0,
            phase=phase + float(rng.normal()) / 10,
            weekend=scale * float(rng.uniform(-0.5, 0.5)) if seasonal else 0.0,
        )

    tail = 2.5 if heavy else None
    features: tuple[Column, ...] = (
        NumericColumn("level", "line", float(rng.normal()) * 50, 10.0, tail, 0.0, moving()),
        NumericColumn("share", "ratio", 0.5, 1.0, None, 0.02, moving()),
        NumericColumn("amount", "exp", 3.0, 2.0 if heavy else 0.7, None, 0.0, moving()),
        NumericColumn("items", "count", 1.2, 0.8, None, 0.01, moving()),
        CategoryColumn("country", COUNTRIES, 0.0, moving()),
        CategoryColumn("plan", PLANS, 0.08, moving()),
    )
    return Recipe(
        name=f"{nature.replace(' ', '-')}-{index}",
        nature=nature,
        seed=(seed, index),
        rate=rate,
        start=start,
        features=features,
        score=NumericColumn("output.score", "ratio", -1.0, 1.2, None, 0.0, moving(0.5)),
        latency=NumericColumn("output.latency", "exp", math.log(0.02), 0.5, None, 0.0, moving(0.3)),
        deploys=_deploys(rng, start, days) if deployed else ((start, "1", False),),
        busy=float(rng.uniform(0.2, 0.7)) if seasonal else 0.0,
        idle=float(rng.uniform(0.0, 0.5)) if seasonal else 0.0,
    )


def _deploys(
    rng: np.random.Generator, start: float, days: float
) -> tuple[tuple[float, str, bool], ...]:
    made = [(start, "1", False)]
    while (time := made[-1][0] + DAY * float(rng.uniform(2.0, 5.0))) < start + days * DAY:
        made.append((time, str(len(made) + 1), bool(rng.random() < 0.5)))
    return tuple(made)
