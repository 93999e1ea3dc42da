"""The other side: one of twenty features moves by a standard deviation, and must be found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from load_tests.quiet.columns import NumericColumn
from load_tests.quiet.movement import DAY, Movement
from load_tests.quiet.plan import with_pane
from load_tests.quiet.recipes import FASTEST, SLOWEST, START, Recipe, Shift
from load_tests.quiet.watch_model import Outcome, Task, watch_task

NATURES = ("steady", "autocorrelated", "seasonal")
FEATURES = 20
#: A drift must be told within so many windows behind the one in which it began.
WITHIN = 5
#: Share of drifts that are found in time, of those that stand out.
PROMISED = 0.95
#: A drift stands out by so many deviations of its feature's windows, which slow noise moves as a
#: whole: 4.5 for one alarm in a month of tests on twenty features, and 1.6 to be heard in 95 %.
STANDS_OUT = 6.1
#: Events of a window, at the least, and its length in seconds, at the least: seasons take weeks to
#: be learned, so these models' windows are longer, or they would take most of the run's time.
WINDOW_EVENTS, WINDOW_SECONDS, SEASONAL_WINDOW = 500, 300.0, 900.0
#: Panes of a window.
PANES = 2
#: Days until a season is known, with some to spare; windows until any model is calibrated.
SEASON_DAYS, CALIBRATED = 15.0, 12


class Found(NamedTuple):
    """What came of one drift."""

    recipe: Recipe
    windows: float | None
    false: int
    seconds: float


def drift_task(seed: int, index: int) -> Task:
    """The ``index``-th model that drifts: natures by turns, rates log-uniform."""
    rng = np.random.default_rng([seed, index, 3])
    nature = NATURES[index % len(NATURES)]
    rate = math.exp(rng.uniform(math.log(SLOWEST), math.log(FASTEST)))
    phase = float(rng.random())

    def moving() -> Movement:
        noisy, seasonal = nature == "autocorrelated", nature == "seasonal"
        return Movement(
            noise=float(rng.uniform(0.2, 0.5)) if noisy else 0.0,
            memory=math.exp(rng.uniform(math.log(10.0), math.log(7200.0))),
            day=float(rng.uniform(0.2, 0.7)) if seasonal else 0.0,
            phase=phase,
            weekend=float(rng.uniform(-0.4, 0.4)) if seasonal else 0.0,
        )

    features = tuple(
        NumericColumn(f"x{i}", "line", float(rng.normal()) * 10, 5.0, movement=moving())
        for i in range(FEATURES)
    )
    shortest = SEASONAL_WINDOW if nature == "seasonal" else WINDOW_SECONDS
    window = max(WINDOW_EVENTS / rate, shortest)
    pane = min(window / PANES, 3600.0)
    quiet = max(2 * DAY, (CALIBRATED + 2) * window, SEASON_DAYS * DAY * (nature == "seasonal"))
    quiet += float(rng.uniform(0.0, DAY)) + pane
    moved = features[int(rng.integers(FEATURES))]
    recipe = Recipe(
        name=f"drift-{nature}-{index}",
        nature=nature,
        seed=(seed, 1_000_000 + index),
        rate=rate,
        start=START,
        features=features,
        score=NumericColumn("output.score", "ratio", 0.0, 1.2),
        latency=NumericColumn("output.latency", "exp", math.log(0.02), 0.5),
        deploys=((START, "1", False),),
        busy=float(rng.uniform(0.2, 0.5)) if nature == "seasonal" else 0.0,
        shift=Shift(moved.name, START + quiet, moved.movement.deviation),
    )
    # Quiet hours have longer windows.
    days = (quiet + (WITHIN + 4) * window / (1 - recipe.busy)) / DAY
    return Task(recipe, "panes", days, with_pane(pane, silence=False, window=shortest))


def stands_out(recipe: Recipe) -> bool:
    """Whether windows differ by themselves so little that the drift can be told from that."""
    shift = recipe.shift
    assert shift is not None
    moved = next(c for c in recipe.features if c.name == shift.column).movement
    window = max(WINDOW_EVENTS / recipe.rate, WINDOW_SECONDS)
    return moved.deviation >= STANDS_OUT * moved.wandering(window)


def find(task: Task) -> Found:
    """Let one model drift."""
    return found(watch_task(task))


def found(outcome: Outcome) -> Found:
    """After how many windows the drift was told, if ever, and what else was said."""
    shift = outcome.recipe.shift
    assert shift is not None
    windows, false = None, 0
    for alarm in outcome.alarms:
        if alarm.window is None:
            false += 1
            continue
        named = {alarm.feature, *(each.feature for each in alarm.evidence.top_features)}
        meant = alarm.kind == "feature_drift" and shift.column in named
        if not meant or alarm.window.end <= shift.time:
            false += 1
        elif windows is None:
            length = alarm.window.end - alarm.window.start
            windows = (alarm.window.end - shift.time) / length
    return Found(outcome.recipe, windows, false, outcome.seconds)


def lines(results: Sequence[Found]) -> list[str]:
    """A table by nature, and the last line."""
    rows = [f"{'nature':<16}{'models':>7}{'found':>7}{'windows p50':>12}{'p95':>6}{'false':>7}"]
    for nature in NATURES:
        own = [each for each in results if each.recipe.nature == nature]
        delays = [each.windows for each in own if each.windows is not None] or [math.nan]
        p50, p95 = np.quantile(delays, (0.5, 0.95))
        rows.append(
            f"{nature:<16}{len(own):>7}{sum(map(in_time, own)):>7}{p50:>12.1f}{p95:>6.1f}"
            f"{sum(each.false for each in own):>7}"
        )
    rows += [
        f"missed: {each.recipe.name} ({each.recipe.rate:.3g}/s, seed {each.recipe.seed}) "
        f"{'never' if each.windows is None else f'after {each.windows:.1f} windows'}"
        f"{'' if stands_out(each.recipe) else '; its windows wander nearly as far by themselves'}"
        for each in results
        if not in_time(each)
    ]
    clear = [each for each in results if stands_out(each.recipe)]
    rows.append(
        f"drift: models={len(results)} found={sum(map(in_time, results))} "
        f"within_windows={WITHIN} false={sum(each.false for each in results)} "
        f"standing_out={len(clear)} of_these_found={sum(map(in_time, clear))}"
    )
    return rows


def in_time(each: Found) -> bool:
    """Whether the drift was found within the windows behind the one in which it began."""
    return each.windows is not None and each.windows <= WITHIN + 1
