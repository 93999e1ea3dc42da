"""An event's features as the numbers that an estimator learns from, always in one order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from streamgauge.pipelines.encoding import ENCODINGS, Category
from streamgauge.pipelines.scaling import SCALINGS, Number, Row

#: Features that a model may learn from. Names come from outside: they must have an end.
MOST_FEATURES = 1000

Kind = Literal["numeric", "categorical"]
Features = Mapping[str, object]


class Inputs:
    """Which features there are, what is known of each, and how they become numbers.

    Rows list the features in the order in which they were first learned, those of one event by
    name: a row must not depend on how a dictionary is ordered, since sums of floats do.

    Parameters
    ----------
    scaling, encoding
        Words of ``SCALINGS`` and ``ENCODINGS``.
    sparse
        Whether the estimator can do without zeros.
    clip
        Standard deviations beyond which a number is clipped; 0 means never.
    kinds
        Declared kinds; others are inferred from the first value.
    only
        The features to learn from; None means all.
    never
        Features that never get in.
    """

    def __init__(
        self,
        *,
        scaling: str,
        encoding: str,
        sparse: bool,
        clip: float,
        kinds: Mapping[str, Kind],
        only: Iterable[str] | None,
        never: Iterable[str],
    ) -> None:
        self._learn_numbers, self._apply_numbers = SCALINGS[scaling]
        self._encode = ENCODINGS[encoding][0 if sparse else 1]
        self._clip, self._kinds = clip, dict(kinds)
        self._only = None if only is None else dict.fromkeys(only)
        self._never = dict.fromkeys(never)
        self._numbers: list[Number] = []
        self._categories: list[Category] = []
        #: Names that are dealt with. A dictionary, because a set's order is not the same twice.
        self._seen: dict[str, None] = {}

    def learn(self, features: Features, target: float) -> Row:
        """The row, after what is known of the features was updated with it."""
        if not features.keys() <= self._seen.keys():
            self._meet(features)
        row: Row = {}
        get = features.get
        self._learn_numbers(self._numbers, get, row, self._clip)
        if self._categories:
            self._encode(self._categories, get, row, target)
        return row

    def row(self, features: Features) -> Row:
        """The row for a prediction. Features that nothing was learned of yet are left out."""
        if not self._seen:
            # Nothing is known at all: the estimator then at least sees what there will be.
            self._meet(features)
            row = self._plain(features)
            self._numbers, self._categories, self._seen = [], [], {}
            return row
        return self._plain(features)

    def _plain(self, features: Features) -> Row:
        row: Row = {}
        get = features.get
        self._apply_numbers(self._numbers, get, row, self._clip)
        if self._categories:
            self._encode(self._categories, get, row, None)
        return row

    def _meet(self, features: Features) -> None:
        for name in sorted(features.keys() - self._seen.keys()):
            if len(self._seen) >= MOST_FEATURES:
                return
            value = features[name]
            # A text of our own: what bytes a model has depends on which texts are one object.
            name = f"{name}\0"[:-1]
            wanted = name not in self._never and (self._only is None or name in self._only)
            kind = self._kinds.get(name) or _kind(value) if wanted else None
            if kind == "numeric":
                self._numbers.append(Number(name))
            elif kind == "categorical":
                self._categories.append(Category(name))
            elif wanted and value is None:
                # It may be anything: wait for a value.
                continue
            self._seen[name] = None

    def state(self) -> list[Any]:
        """Plain values. The names are the very objects that the estimator's tables are keyed by."""
        return [
            json.dumps(list(self._left_out())),
            [column.state() for column in self._numbers],
            [column.state() for column in self._categories],
        ]

    def restore(self, state: list[Any]) -> None:
        """Become what ``state`` described; the parameters must be the same."""
        left_out, numbers, categories = state
        self._numbers = [Number.from_state(each) for each in numbers]
        self._categories = [Category.from_state(each) for each in categories]
        self._seen = dict.fromkeys(json.loads(left_out))
        self._seen |= dict.fromkeys(self._names())

    def _left_out(self) -> list[str]:
        return sorted(self._seen.keys() - set(self._names()))

    def _names(self) -> list[str]:
        """The columns' names: the objects themselves, see ``_meet``."""
        return [each.name for each in self._numbers] + [each.name for each in self._categories]


def _kind(value: object) -> Kind | None:
    """The kind of a value; None for what can't be learned from, like a list."""
    if isinstance(value, bool | str):
        return "categorical"
    return "numeric" if isinstance(value, int | float) else None
