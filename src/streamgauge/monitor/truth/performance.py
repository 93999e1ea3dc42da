"""How good the answers of a span were: every figure that its task knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamgauge.metrics.base import Metric
from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores
from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.named_scores import NamedScores
from streamgauge.metrics.regression import Regression
from streamgauge.metrics.reliability import Reliability
from streamgauge.metrics.spread import Spread
from streamgauge.monitor.truth.scored import POSITIVE, Scored
from streamgauge.monitor.truth.task import Task

_PARTS: dict[str, type[Metric]] = {
    "confusion": Confusion,
    "binary": BinaryScores,
    "classes": ClassScores,
    "reliability": Reliability,
    "regression": Regression,
    "named": NamedScores,
    "value": Spread,
}


class Performance:
    """The metrics of one span of scored rows. Parts are made when they are needed.

    ``predictions`` and ``labelled`` are weighted counts of released rows and of those with a
    usable truth.
    """

    __slots__ = ("labelled", "parts", "predictions")

    def __init__(self) -> None:
        self.predictions = self.labelled = 0.0
        self.parts: dict[str, Any] = {}

    def _part(self, name: str) -> Any:
        part = self.parts.get(name)
        if part is None:
            part = self.parts[name] = _PARTS[name]()
        return part

    def take(self, task: Task, scored: Scored, *, sign: float = 1.0) -> None:
        """Take rows of one task; ``sign`` -1 takes rows back that were taken before."""
        if not len(scored):
            return
        weight = scored.weight * sign
        self.labelled += float(weight.sum()) if len(weight) == 1 else _total(weight)
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
            known = ~np.isnan(scored.of_classes).any(axis=1) & (scored.true_class >= 0)
            if known.any():
                self._part("classes").update(
                    scored.of_classes[known], scored.true_class[known], weight[known]
                )
        known = ~np.isnan(scored.confidence)
        if known.any():
            right = scored.wrong[known] == 0.0
            self._part("reliability").update(scored.confidence[known], right, weight[known])

    def get(self, task: Task | None) -> dict[str, float]:
        """The figures by the names that a spec uses; one that is not defined is left out."""
        figures: dict[str, float] = {}
        confusion = self.parts.get("confusion")
        if confusion is not None:
            figures |= confusion.get(POSITIVE if task == "binary" else None)
        for name in ("regression", "binary", "classes", "reliability"):
            if name in self.parts:
                figures |= self.parts[name].get()
        if "value" in self.parts:
            figures |= _renamed(self.parts["value"].get(), {"mean": "value_mean"})
        figures = _renamed(figures, {"average_precision": "pr_auc"}) | {
            name: value for name, value in figures.items() if name not in _SHOWN_AS
        }
        if "named" in self.parts:
            figures |= self.parts["named"].means()
        figures.pop("n", None)
        return figures

    def merge(self, other: Performance) -> None:
        self.predictions += other.predictions
        self.labelled += other.labelled
        for name, part in other.parts.items():
            self._part(name).merge(part)

    def state(self) -> list[Any]:
        parts = {name: self.parts[name].state() for name in sorted(self.parts)}
        return [self.predictions, self.labelled, parts]

    @classmethod
    def from_state(cls, state: list[Any]) -> Performance:
        made = cls()
        made.predictions, made.labelled, parts = state
        made.parts = {name: _PARTS[name].from_state(each) for name, each in parts.items()}
        return made


_SHOWN_AS = {"average_precision", "average_precision_error"}


def _renamed(figures: dict[str, float], names: dict[str, str]) -> dict[str, float]:
    return {new: figures[old] for old, new in names.items() if old in figures}


def _total(values: Any) -> float:
    return float(np.add.accumulate(values)[-1])
