"""Encoding of categorical inputs as numbers, with a bound on how many values each may have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from streamgauge.pipelines.scaling import Get, Row
from streamgauge.specs.scalars import parse_category

#: Values of one feature that are told apart. All later ones are one value: ids and free texts
#: would else grow the model without bound.
MOST_VALUES = 200
#: Longer texts are no categories.
LONGEST = 200
#: What values beyond the bound are called; nothing that a person would send.
OTHER = "\x00other"
#: Examples that the overall mean is worth beside a value's own, in the target encoding.
PRIOR_WEIGHT = 20.0


class Category:
    """A categorical input: its values in the order of their coming, and the truth seen with each.

    ``keys`` are the input names that a one-hot encoding gives to the values. They are kept because
    a model's bytes depend on which of its texts are one object.
    """

    __slots__ = ("keys", "name", "sums")

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[str, str] = {}
        #: Per value: examples and their targets' sum.
        self.sums: dict[str, list[float]] = {}

    def state(self) -> list[Any]:
        # Words may be one object with anybody's texts, keys are ours alone: see ``Inputs._meet``.
        return [
            self.name,
            json.dumps(list(self.keys)),
            list(self.keys.values()),
            json.dumps(self.sums),
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Category:
        made = cls(state[0])
        made.keys = dict(zip(json.loads(state[1]), state[2], strict=True))
        made.sums = json.loads(state[3])
        return made

    def known(self, value: object) -> str | None:
        """The value as one of those known; ``OTHER`` for one that is not, None where none is."""
        word = as_word(value)
        if word is None or word in self.keys:
            return word
        return OTHER

    def meet(self, value: object) -> str | None:
        """The same, but a new value becomes known while there is room."""
        word = as_word(value)
        if word is None or word in self.keys:
            return word
        if len(self.keys) >= MOST_VALUES or len(word) > LONGEST:
            word = OTHER
        if word not in self.keys:
            self.keys[word] = f"{self.name}={'…' if word == OTHER else word}"
        return word


def as_word(value: object) -> str | None:
    """A category as text; None where there is none."""
    if value.__class__ is str:
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        return parse_category(value)
    except ValueError:
        return None


#: ``(columns, get, row, target)``: fill the row. ``target`` is the truth as a number, None where
#: nothing is learned.
Encoding = Callable[[Iterable[Category], Get, Row, float | None], None]


def one_hot(columns: Iterable[Category], get: Get, row: Row, target: float | None) -> None:
    """1 for the value that is there, nothing for the others: for estimators with weights."""
    for column in columns:
        value = get(column.name)
        word = column.known(value) if target is None else column.meet(value)
        if word is not None and word in column.keys:
            row[column.keys[word]] = 1.0


def one_hot_dense(columns: Iterable[Category], get: Get, row: Row, target: float | None) -> None:
    """1 for the value that is there, 0 for all others known: for those that count zeros."""
    for column in columns:
        value = get(column.name)
        word = column.known(value) if target is None else column.meet(value)
        for each, key in column.keys.items():
            row[key] = 1.0 if each == word else 0.0


def ordinal(columns: Iterable[Category], get: Get, row: Row, target: float | None) -> None:
    """The value's number in the order of coming, from 1; 0 where it is missing or unknown."""
    for column in columns:
        value = get(column.name)
        word = column.known(value) if target is None else column.meet(value)
        keys = list(column.keys)
        row[column.name] = float(keys.index(word) + 1) if word in column.keys else 0.0


def target_mean(columns: Iterable[Category], get: Get, row: Row, target: float | None) -> None:
    """The mean truth of the value's examples before this one, drawn to the overall mean.

    Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems. SIGKDD Explorations 3(1), 27-32.
    """
    for column in columns:
        value = get(column.name)
        word = column.known(value) if target is None else column.meet(value)
        n, total = column.sums.get("", (0.0, 0.0))
        prior = total / n if n else 0.0
        own_n, own = column.sums.get(f"={word}", (0.0, 0.0)) if word is not None else (0.0, 0.0)
        row[column.name] = (own + PRIOR_WEIGHT * prior) / (own_n + PRIOR_WEIGHT)
        if target is not None:
            for key in ("",) if word is None else ("", f"={word}"):
                sums = column.sums.setdefault(key, [0.0, 0.0])
                sums[0] += 1.0
                sums[1] += target


def left_out(columns: Iterable[Category], get: Get, row: Row, target: float | None) -> None:
    """Categories are not learned from."""


#: By the spec's word: for estimators that may miss zeros, and for those that may not.
ENCODINGS: dict[str, tuple[Encoding, Encoding]] = {
    "one_hot": (one_hot, one_hot_dense),
    "ordinal": (ordinal, ordinal),
    "target": (target_mean, target_mean),
    "none": (left_out, left_out),
}
