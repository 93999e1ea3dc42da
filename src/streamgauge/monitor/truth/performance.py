"""How good the answers of a span were: every figure that its task knows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from streamgauge.labels.truth import Extras
from streamgauge.metrics.base import Metric
from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores
from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.named_scores import NamedScores
from streamgauge.metrics.regression import Regression
from streamgauge.metrics.reliability import Reliability
from streamgauge.metrics.sums import carried, left
from streamgauge.monitor.truth.scored import POSITIVE, Floats, Scored
from streamgauge.monitor.truth.task import Task

_PARTS: dict[str, type[Metric]] = {
    "confusion": Confusion,
    "binary": BinaryScores,
    "classes": ClassScores,
    "reliability": Reliability,
    "regression": Regression,
    "named": NamedScores,
}
#: The name of a label's business value among the scores that users compute.
VALUE = "value"
#: What a figure is called in specs, where that is not how its metric calls it.
_CALLED = {"average_precision": "pr_auc", "average_precision_error": "pr_auc_error"}


class Performance:
    """The metrics of one span of released rows. Parts are made when they are needed.

    ``predictions`` and ``scored`` are weighted counts of rows and of those with a fitting truth.
    """

    __slots__ = ("parts", "predictions", "scored")

    def __init__(self) -> None:
        self.predictions = self.scored = 0.0
        self.parts: dict[str, Any] = {}

    def _part(self, name: str) -> Any:
        part = self.parts.get(name)
        if part is None:
            part = self.parts[name] = _PARTS[name]()
        return part

    def count(self, weights: Floats) -> None:
        """Count released rows by their weights (n,), whether they have a truth or not."""
        self.predictions = carried(self.predictions, weights)

    def take(self, task: Task, scored: Scored) -> None:
        """Take rows of one task."""
        if not len(scored):
            return
        weight = scored.weight
        self.scored = carried(self.scored, weight)
        if task == "scores":
            # What users computed themselves comes with ``take_extras``.
            return
        if task == "regression":
            self._part("regression").update(scored.said, scored.true_value, weight)
            return
        self._part("confusion").update(scored.predicted, scored.truth, weight)
        if task == "binary":
            known = ~np.isnan(scored.probability)
            if known.any():
                positive = scored.truth[known] == POSITIVE
                self._part("binary").update(scored.probability[known], positive, weight[known])
        elif scored.of_classes is not None and scored.true_class is not None:
            whole = np.flatnonzero(~np.isnan(scored.of_classes).any(axis=1))
            if len(whole):
                self._part("classes").update(
                    scored.of_classes[whole], scored.true_class[whole], weight[whole]
                )
        known = ~np.isnan(scored.confidence)
        if known.any():
            right = scored.wrong[known] == 0.0
            self._part("reliability").update(scored.confidence[known], right, weight[known])

    def take_extras(self, extras: Iterable[tuple[Extras, float]]) -> None:
        """Take what labels carry beside their truth, each with its weight."""
        by_name: dict[str, list[tuple[float, float]]] = {}
        for each, weight in extras:
            for name, score in named_scores(each):
                by_name.setdefault(name, []).append((score, weight))
        for full, listed in by_name.items():
            scores, weights = np.array(listed).T
            self._part("named").update(full, scores, weights)

    def get(self, task: Task | None) -> dict[str, float]:
        """The figures by the names that a spec uses; one that is not defined is left out."""
        figures: dict[str, float] = {}
        for name, part in sorted(self.parts.items()):
            if name == "confusion":
                figures |= part.get(POSITIVE if task == "binary" else None)
            elif name == "named":
                # What users computed has another name than what is computed here, or gives way.
                figures = part.get() | figures
            else:
                figures |= part.get()
        figures.pop("n", None)
        return {_CALLED.get(name, name): value for name, value in figures.items()}

    @property
    def errors(self) -> float:
        """The weight of wrong answers; 0 where answers are numbers."""
        confusion = self.parts.get("confusion")
        if confusion is None:
            return 0.0
        return float(sum(w for (said, true), w in confusion.pairs().items() if said != true))

    def merge(self, other: Performance) -> None:
        self.predictions += other.predictions
        self.scored += other.scored
        for name, part in other.parts.items():
            self._part(name).merge(part)

    def take_out(self, other: Performance) -> None:
        """Take rows out that were taken before and turned out to be otherwise."""
        self.predictions, self.scored = left(
            np.array([self.predictions, self.scored]), np.array([other.predictions, other.scored])
        ).tolist()
        for name, part in other.parts.items():
            self._part(name).take_out(part)

    def state(self) -> list[Any]:
        parts = {name: self.parts[name].state() for name in sorted(self.parts)}
        return [self.predictions, self.scored, parts]

    @classmethod
    def from_state(cls, state: list[Any]) -> Performance:
        made = cls()
        made.predictions, made.scored, parts = state
        made.parts = {name: _PARTS[name].from_state(each) for name, each in parts.items()}
        return made


def worth(
    performance: Performance, values: Mapping[str, Mapping[str, float]], names: Mapping[int, str]
) -> float | None:
    """What the decisions of a span were worth together, by a matrix of predicted and true class.

    ``names`` are the classes by code. A pair that the matrix lacks is worth nothing. None where
    nothing was decided.
    """
    confusion = performance.parts.get("confusion")
    if confusion is None or not confusion.n:
        return None
    return math.fsum(
        weight * values.get(names.get(said, ""), {}).get(names.get(true, ""), 0.0)
        for (said, true), weight in confusion.pairs().items()
    )


def named_scores(extras: Extras) -> Iterator[tuple[str, float]]:
    """The scores that a label carries, and its value, by name; with a horizon ``name@horizon``."""
    value = [(VALUE, extras.value)] if extras.value is not None else []
    for name, score in [*extras.scores, *value]:
        yield (f"{name}@{extras.horizon}" if extras.horizon else name), score
