"""Seeded streams for the learning tests, with everything in them that real events have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Event = dict[str, object]

#: Too slow for more than a few events; see the contract.
SLOW = frozenset(
    {
        "adaptive_random_forest_classifier",
        "adaptive_random_forest_regressor",
        "mondrian_forest_classifier",
        "mondrian_forest_regressor",
        "leveraging_bagging_classifier",
    }
)


def events(n: int, *, seed: int = 3) -> Iterator[Event]:
    """Numbers, categories and truths, some missing, some late to appear, in any order."""
    rng = random.Random(seed)
    for i in range(n):
        event: Event = {f"number {j}": rng.gauss(0, 1) for j in range(4)}
        event["colour"] = rng.choice(["red", "green", "blue"])
        event["member"] = rng.random() < 0.5
        event["loss"] = rng.random()
        if i > n // 2:
            event["new"] = rng.random()
            event["tags"] = ["a", "b"]
        if rng.random() < 0.1:
            event["number 1"] = None
        if rng.random() < 0.1:
            del event["colour"]
        names = list(event)
        rng.shuffle(names)
        yield {name: event[name] for name in names}


def truth(event: Event, task: str) -> Any:
    """What is learned: a rule of two features."""
    first = event["number 0"]
    assert isinstance(first, float)
    score = first + (event.get("colour") == "red")
    if task == "regression":
        return score
    if task == "binary":
        return score > 0.3
    return ("low", "true", "high")[(score > 0) + (score > 1)]
