"""Which models a run has, which way each goes, and with which panes."""

from __future__ import annotations

from typing import Any

from load_tests.quiet.recipes import NATURES, recipe
from load_tests.quiet.watch_model import Task

#: Events a second up to which a model's events are drawn one by one.
SLOW = 0.05
#: Events that a pane holds (half a window's), and its length in seconds at the least and the most.
PANE_EVENTS = 250
SHORTEST, LONGEST = 60.0, 3600.0
#: Of the slow models of each nature, the first so many keep the default panes of 10 s.
DEFAULT_PANES = 1


def with_pane(pane: float, *, silence: bool) -> dict[str, Any]:
    """A process' defaults with panes of so many seconds.

    Silence is told of records, and panes have none.
    """
    return {
        "defaults": {"pane": pane, "min_duration": max(pane, 60.0)},
        "watch": {"silence": silence},
    }


def plan(models: int, days: float, seed: int) -> list[Task]:
    """The tasks of a run, the longest first."""
    by_default = dict.fromkeys(NATURES, DEFAULT_PANES)
    tasks = []
    for index in range(models):
        made = recipe(seed, index, days=days)
        pane = min(max(PANE_EVENTS / made.rate, SHORTEST), LONGEST)
        slow = made.rate <= SLOW
        overrides = with_pane(pane, silence=slow)
        if slow and by_default[made.nature]:
            by_default[made.nature] -= 1
            overrides = {}
        tasks.append(Task(made, "events" if slow else "panes", days, overrides))
    return sorted(tasks, key=lambda task: (-task.cost, task.recipe.name))
