"""What kind of answer a model gives: declared by its spec, else told by its first labels."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any, Literal

from streamgauge.specs.model_spec import ModelSpec

Task = Literal["binary", "multiclass", "regression", "scores"]

#: Names of the class that nobody looks for; where one of two classes is called so, it is not it.
NEGATIVES = frozenset(
    {"false", "0", "no", "n", "negative", "normal", "ok", "good", "none", "legit", "ham", "benign"}
)
TRUE = frozenset({"true", "1"})


def declared_task(spec: ModelSpec) -> Task | None:
    """The task that a spec declares; None where it does not say."""
    match spec.task:
        case "ranking" | "generative":
            return "scores"
        case None if spec.labels.implicit_negative_after_seconds is not None:
            # Where a missing label means "no" there are two classes.
            return "binary"
        case task:
            return task


def told_task(
    *, truth: float, truth_name: str | None, score: float, said_name: str | None, classes: int
) -> Task:
    """The task that a first label and its prediction look like.

    ``truth`` and ``score`` are nan where there is no number, names are None where there is no
    class. ``classes`` is how many classes the prediction gave scores to. A number in 0..1 that is
    labelled 0 or 1 is taken for a probability: a regression of such values must be declared.
    """
    if truth_name in ("true", "false"):
        return "binary"
    if truth_name is not None:
        return "multiclass" if classes > 2 or said_name is not None else "binary"
    if isnan(truth):
        return "scores"
    if said_name is not None:
        return "binary" if truth in (0.0, 1.0) else "multiclass"
    return "binary" if truth in (0.0, 1.0) and 0.0 <= score <= 1.0 else "regression"


class PositiveClass:
    """Which classes of a binary model are the one that it looks for.

    Declared, or guessed from the names that came: ``true`` and ``1`` are, ``normal`` and its like
    are not, and of two others it is the greater name, as in scikit-learn.
    """

    def __init__(self, declared: str | None) -> None:
        self.declared = declared
        self.guessed: str | None = None

    @property
    def name(self) -> str | None:
        return self.declared or self.guessed

    def look(self, names: Iterable[str]) -> None:
        """Guess from names, once."""
        if self.name is None:
            others = sorted({name for name in names if self.telling(name)})
            if others:
                self.guessed = others[-1]

    @staticmethod
    def telling(name: str) -> bool:
        """Whether a name is one of those that a guess is made of."""
        return name not in TRUE and name not in NEGATIVES

    def holds(self, name: str) -> bool:
        """Whether a class is the positive one."""
        if self.declared is not None and self.declared.lower() in NEGATIVES:
            return name == self.declared
        return name in TRUE or name == self.name

    def state(self) -> list[Any]:
        return [self.guessed]

    def restore(self, state: list[Any]) -> None:
        (self.guessed,) = state
