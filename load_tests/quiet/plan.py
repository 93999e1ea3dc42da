"""Which models a run has, which way each goes, and with which panes."""

from __future__ import annotations

from typing import Any

from load_tests.quiet.recipes import NATURES, recipe
from load_tests.quiet.watch_model import Task

#: Events a second up to which a model's events are drawn one by one.
SLOW = 0.05
#: Events that a pane holds: nearly always a window's. Its length in seconds at the most.
PANE_EVENTS = 550
LONGEST = 3600.0
#: Windows of fast models last so many seconds, but for the first so many models of each nature:
#: they have the default's, one a minute, and take most of the run's time.
WINDOW, DEFAULT_WINDOW = 300.0, 60.0
BY_DEFAULT = 1


def with_pane(pane: float, *, silence: bool, window: float = DEFAULT_WINDOW) -> dict[str, Any]:
    """A process' defaults with panes of so many seconds, and windows of at least as many.

    Silence is told of records, and panes have none.
    """
    return {
        "defaults": {"pane": pane, "min_duration": max(pane, window)},
        "watch": {"silence": silence},
    }


def plan(models: int, days: float, seed: int) -> list[Task]:
    """The tasks of a run, the longest first."""
    slow_ones, fast_ones = (dict.fromkeys(NATURES, BY_DEFAULT) for _ in range(2))
    tasks = []
    for index in range(models):
        made = recipe(seed, index, days=days)
        slow = made.rate <= SLOW
        shortest = WINDOW
        left = slow_ones if slow else fast_ones
        fast = made.rate * DEFAULT_WINDOW > PANE_EVENTS
        default = (slow or fast) and left[made.nature] > 0
        left[made.nature] -= default
        if default:
            shortest = DEFAULT_WINDOW
        pane = min(max(PANE_EVENTS / made.rate, shortest), LONGEST)
        overrides = {} if default and slow else with_pane(pane, silence=slow)
        tasks.append(Task(made, "events" if slow else "panes", days, overrides))
    return sorted(tasks, key=lambda task: (-task.cost, task.recipe.name))
