"""How a challenger differs from the champion, and how the labels come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]

DAY = 86_400.0
#: The champion's share of errors, before the difficulty of the hour.
ERRORS = 0.20
#: Share of positive labels.
POSITIVE = 0.2
#: How often both models decide by the same chance.
TOGETHER = 0.5
#: By name: challengers that are on average no better.
NULLS = ("equal", "worse", "alternating", "wandering", "daily", "classes")
#: None of these: an advantage that lasts for days is beyond what rounds of a day promise.
BEYOND = "days long"


@dataclass(frozen=True, slots=True)
class Nature:
    """One challenger and its traffic. ``advantage`` is a constant one, in accuracy."""

    name: str
    advantage: float
    labels_a_day: int
    nightly: bool
    #: What each day adds to the advantage.
    by_day: tuple[float, ...] = ()


def advantages(
    nature: Nature, day: int, positive: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """By how much the challenger's probability of an error is lower, event by event, shape (n,)."""
    n = len(positive)
    steady = np.full(n, nature.advantage + (nature.by_day[day] if nature.by_day else 0.0))
    if nature.name == "worse":
        return steady - 0.01
    if nature.name == "alternating":
        return steady + (0.08 if day % 2 == 0 else -0.08)
    if nature.name == "wandering":
        return steady + 0.06 * wander(n, 0.05, rng)
    if nature.name == "daily":
        return steady + 0.08 * np.sin(2 * np.pi * np.arange(n) / n)
    if nature.name == "classes":
        # Better on the few positives, worse on the many negatives, the same on average.
        return steady + np.where(positive, 0.12, -0.12 * POSITIVE / (1 - POSITIVE))
    return steady


def wander(n: int, share: float, rng: np.random.Generator) -> Floats:
    """A stationary AR(1) of unit spread; it forgets after that share of ``n`` steps. In [-2, 2]."""
    keep = np.exp(-1.0 / max(share * n, 1.0))
    steps = rng.standard_normal(n) * np.sqrt(1 - keep * keep)
    steps[0] = rng.standard_normal()
    return np.clip(lfilter([1.0], [1.0, -keep], steps), -2.0, 2.0)


def one_day(nature: Nature, day: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Times of arrival and both models' 0/1 losses, in the order in which the labels come."""
    n = int(rng.poisson(nature.labels_a_day)) + 1
    positive = rng.random(n) < POSITIVE
    # What is hard is hard for both, for an hour or two: losses are autocorrelated.
    chance = ERRORS + 0.05 * wander(n, 0.08, rng)
    own, same = rng.random(n), rng.random(n) < TOGETHER
    other = np.where(same, own, rng.random(n))
    champion = (own < chance).astype(np.float64)
    challenger = (other < chance - advantages(nature, day, positive, rng)).astype(np.float64)
    times = np.sort(rng.random(n)) * DAY
    if nature.nightly:
        # One file at two at night, the positives first.
        order = np.argsort(~positive, kind="stable")
        champion, challenger = champion[order], challenger[order]
        times = DAY + 7_200.0 + np.arange(n, dtype=np.float64) * 0.01
    return day * DAY + times, champion, challenger
