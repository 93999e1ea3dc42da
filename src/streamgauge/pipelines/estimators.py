"""The estimators that a spec may name: River's, by name, with the hyperparameters they take.

An allow-list, not a way into River: nothing is looked up by a name from outside but this table,
and no parameter takes code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge.pipelines.estimator_table import ENTRIES, Estimator
from streamgauge.pipelines.parameters import read_parameters
from streamgauge.plugins import PluginError, did_you_mean

#: By name, in the order in which they are told.
ESTIMATORS: dict[str, Estimator] = {each.name: each for each in ENTRIES}


def estimator(name: str) -> Estimator:
    """The entry of that name. Raises ``PluginError``, which says what there is."""
    if name not in ESTIMATORS:
        raise PluginError(
            f"no estimator is called {name!r}{did_you_mean(name, ESTIMATORS)} "
            f"(there are: {', '.join(ESTIMATORS)})"
        )
    return ESTIMATORS[name]


def fitting(task: str | None) -> list[str]:
    """The names of the estimators for a task; for none of them, an empty list."""
    return [name for name, each in ESTIMATORS.items() if task in each.tasks]


def create(name: str, *, task: str, parameters: Mapping[str, object], seed: int) -> Any:
    """A new River estimator, seeded.

    Raises ``PluginError`` for an unknown name, one that does not fit the task, and parameters that
    it does not take.
    """
    entry = estimator(name)
    if task not in entry.tasks:
        there = fitting(task)
        said = f"for {task} there are: {', '.join(there)}" if there else f"nothing learns {task}"
        raise PluginError(f"estimator {name!r} is for {' and '.join(entry.tasks)}; {said}")
    values = read_parameters(f"estimator {name!r}", entry.parameters, parameters)
    if values.get("l1") and values.get("l2"):
        raise PluginError(f"estimator {name!r}: either l1 or l2, the other 0")
    return entry.make(values, seed)
