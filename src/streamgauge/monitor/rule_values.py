"""Values and truths of all events at once, in the logic of rules: true, false, unknown, wrong."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ABSENT, CATEGORY, NULL, NUMBER, VECTOR, Column

#: Beside a column's kinds: the value of an operation that these types do not have.
WRONG_TYPE: Final = 5

#: Truths. Unknown where something is missing, wrong where types do not fit.
FALSE: Final = 0
TRUE: Final = 1
UNKNOWN: Final = 2
WRONG: Final = 3

Truths = NDArray[np.int8]

_NOT = np.array([TRUE, FALSE, UNKNOWN, WRONG], dtype=np.int8)
# What decides comes first; of the rest a fault is louder than a gap.
_RANKED_AND = (FALSE, WRONG, UNKNOWN, TRUE)
_RANKED_OR = (TRUE, WRONG, UNKNOWN, FALSE)


def _table(ranked: tuple[int, ...]) -> Truths:
    pairs = [min(a, b, key=ranked.index) for a in range(4) for b in range(4)]
    return np.array(pairs, dtype=np.int8)


_AND, _OR = _table(_RANKED_AND), _table(_RANKED_OR)
_EQUAL: dict[str, Callable[[Any, Any], Any]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A value per event, or one for all: arrays are (n,) or (1,).

    ``kind`` is NUMBER, CATEGORY, NULL, VECTOR or WRONG_TYPE. ``numbers`` hold what is a number, of
    a vector its length; ``words`` is an object array of texts, None elsewhere, or None where there
    is no text at all.
    """

    kind: NDArray[np.int8]
    numbers: NDArray[np.float64]
    words: NDArray[np.object_] | None = None


def of_constant(value: Any) -> Values:
    """A number, a text, True or False, for all events."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, str):
        words = np.array([value], dtype=object)
        return Values(np.array([CATEGORY], dtype=np.int8), np.array([np.nan]), words)
    return of_numbers(np.array([float(value)]))


def of_numbers(numbers: NDArray[np.float64]) -> Values:
    """Numbers; what is not finite is no value."""
    kind = np.where(np.isfinite(numbers), NUMBER, NULL).astype(np.int8)
    return Values(kind, numbers)


def nothing(n: int) -> Values:
    """What n events have of a column that none of them has."""
    return Values(np.full(n, NULL, dtype=np.int8), np.full(n, np.nan))


def of_column(column: Column) -> Values:
    """A column's values; a number that is not finite is no value."""
    kind = column.kind
    if not kind.any() and np.isfinite(column.values).all():
        # Numbers all of them, as in most columns.
        return Values(kind, column.values)
    hole = (kind == ABSENT) | ((kind == NUMBER) & ~np.isfinite(column.values))
    words = None
    if column.categories is not None:
        # A third of what ``np.array`` takes.
        words = np.empty(len(kind), dtype=object)
        words[:] = column.categories
    return Values(np.where(hole, np.int8(NULL), kind), column.values, words)


def of_truths(truths: Truths) -> Values:
    """Truths as the texts that a boolean feature has."""
    kind = np.array([CATEGORY, CATEGORY, NULL, WRONG_TYPE], dtype=np.int8)[truths]
    words = np.array(["false", "true", None, None], dtype=object)[truths]
    return Values(kind, np.full(len(truths), np.nan), words)


def as_truths(values: Values) -> Truths:
    """Truths of a boolean feature; any other value is wrong.

    >>> as_truths(of_constant(True)).tolist(), as_truths(of_constant(1.0)).tolist()
    ([1], [3])
    """
    truths = np.full(len(values.kind), WRONG, dtype=np.int8)
    truths[values.kind == NULL] = UNKNOWN
    if values.words is not None:
        truths[values.words == "true"] = TRUE
        truths[values.words == "false"] = FALSE
    return truths


def negation(truths: Truths) -> Truths:
    return _NOT.take(truths)


def conjunction(one: Truths, other: Truths) -> Truths:
    return _AND.take(4 * one + other)


def disjunction(one: Truths, other: Truths) -> Truths:
    return _OR.take(4 * one + other)


def comparison(how: str, one: Values, other: Values) -> Truths:
    """Compare values: unknown with one that is missing.

    Values of different types are never equal, and to order them is wrong.
    """
    equality = how in _EQUAL
    compare = _EQUAL[how] if equality else _ORDER[how]
    first, second = one.kind, other.kind
    truths: Truths = compare(one.numbers, other.numbers).astype(np.int8)
    numbers = (first == NUMBER) & (second == NUMBER)
    if numbers.all():
        # Most columns hold nothing else.
        return truths
    truths[~numbers] = (how == "!=") if equality else WRONG
    if one.words is not None and other.words is not None:
        both = (first == CATEGORY) & (second == CATEGORY)
        if equality:
            truths[both] = compare(one.words, other.words)[both]
        else:
            # What is no word has no order, and would raise.
            left, right = np.broadcast_arrays(one.words, other.words)
            truths[both] = compare(left[both], right[both])
    truths[(first == NULL) | (second == NULL)] = UNKNOWN
    truths[(first == WRONG_TYPE) | (second == WRONG_TYPE)] = WRONG
    return truths


def membership(values: Values, numbers: Collection[float], words: frozenset[str]) -> Truths:
    """Whether a value is one of a list's."""
    found = (values.kind == NUMBER) & np.isin(values.numbers, list(numbers))
    truths: Truths = found.astype(np.int8)
    if values.words is not None:
        hits = (word in words for word in values.words.tolist())
        truths |= np.fromiter(hits, dtype=np.int8, count=len(values.words))
    truths[values.kind == NULL] = UNKNOWN
    truths[values.kind == WRONG_TYPE] = WRONG
    return truths


def arithmetic(apply: Callable[..., Any], *operands: Values) -> Values:
    """Numbers of numbers. With something missing, or a result that is not finite, there is none.

    ``apply`` takes the operands' numbers.
    """
    kinds = np.broadcast_arrays(*(operand.kind for operand in operands))
    with np.errstate(all="ignore"):
        numbers = np.asarray(apply(*(operand.numbers for operand in operands)), dtype=np.float64)
    nothing, wrong = ~np.isfinite(numbers), np.zeros(len(numbers), dtype=np.bool_)
    for kind in kinds:
        nothing |= kind == NULL
        wrong |= (kind != NUMBER) & (kind != NULL)
    result = np.where(nothing, NULL, NUMBER).astype(np.int8)
    result[wrong] = WRONG_TYPE
    return Values(result, numbers)


def lengths(values: Values) -> Values:
    """Lengths of texts and vectors; a number has none."""
    kind = np.where(values.kind == NUMBER, WRONG_TYPE, values.kind).astype(np.int8)
    numbers = values.numbers.copy()
    if values.words is not None:
        rows = np.flatnonzero(kind == CATEGORY)
        numbers[rows] = [len(word) for word in values.words[rows].tolist()]
    kind[(kind == CATEGORY) | (kind == VECTOR)] = NUMBER
    return Values(kind, numbers)


def texts(values: Values, change: Callable[[str], Any]) -> tuple[NDArray[np.int8], list[Any]]:
    """Kinds with all but texts as wrong, and what ``change`` makes of each text, else None."""
    kind = values.kind.copy()
    kind[(kind == NUMBER) | (kind == VECTOR)] = WRONG_TYPE
    if values.words is None:
        return kind, [None] * len(kind)
    words = values.words.tolist()
    changed = {word: change(word) for word in dict.fromkeys(words) if word is not None}
    return kind, [changed.get(word) for word in words]
