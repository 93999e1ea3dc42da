"""Scaling of numeric inputs: running statistics, missing values, clipping, in one pass.

River's scalers are separate steps, each with dictionaries of its own; here one loop imputes, clips,
updates and scales. A test holds the result to River's, bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

#: Beyond this a square overflows. Such a value counts as missing.
LARGEST = 1e150
#: Values of a feature before any of them is clipped: the spread of a few says nothing.
WARM = 30
#: The statistics take values up to so many times the clip's bound: one 1e9 must not blind the
#: model for a day, yet what is only rare must still be able to move them.
SLACK = 10.0


class Number:
    """A numeric input: its name, and what was learned of its values.

    ``var`` is the population variance, ``low`` and ``high`` the extremes after clipping.
    """

    __slots__ = ("high", "low", "mean", "n", "name", "var")

    def __init__(self, name: str) -> None:
        self.name = name
        self.n = 0
        self.mean = self.var = 0.0
        self.low, self.high = math.inf, -math.inf

    def state(self) -> list[Any]:
        return [self.name, self.n, self.mean, self.var, self.low, self.high]

    @classmethod
    def from_state(cls, state: list[Any]) -> Number:
        made = cls(state[0])
        made.n, made.mean, made.var, made.low, made.high = state[1:]
        return made

    def clipped(self, value: float, clip: float) -> float:
        """The value, at most ``clip`` standard deviations off the mean."""
        if self.n < WARM or not self.var:
            return value
        most = clip * math.sqrt(self.var)
        return min(max(value, self.mean - most), self.mean + most)

    def take(self, value: float, clip: float) -> None:
        """Add one finite value to the statistics: Welford's recurrences, as River writes them."""
        if clip and self.n >= WARM:
            value = self.clipped(value, clip * SLACK)
        self.n += 1
        old = self.mean
        self.mean += (value - old) / self.n
        self.var += ((value - old) * (value - self.mean) - self.var) / self.n


def as_number(value: object) -> float | None:
    """A finite number of a sane size, or None: missing."""
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        # NaN fails both comparisons.
        return number if -LARGEST <= number <= LARGEST else None
    return None


Get = Callable[[str], object]
Row = dict[str, float]
#: ``(columns, get, row, clip)``: fill the row from the event. ``clip`` 0 means no clipping.
Scaling = Callable[[Iterable[Number], Get, Row, float], None]


def learn_standard(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """Update, then subtract the mean and divide by the standard deviation."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if column.n:
                    row[column.name] = 0.0
                continue
        n, mean, var = column.n, column.mean, column.var
        if clip and n >= WARM and var:
            off, most = value - mean, clip * math.sqrt(var)
            if not -most <= off <= most:
                # Rare, so it may be slow.
                column.take(value, clip)
                row[column.name] = _standard(column, column.clipped(value, clip))
                continue
        column.n = n = n + 1
        off = value - mean
        column.mean = mean = mean + off / n
        off_now = value - mean
        column.var = var = var + (off * off_now - var) / n
        row[column.name] = off_now / var**0.5 if var else 0.0


def apply_standard(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """The same without updating."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if column.n:
                    row[column.name] = 0.0
                continue
        var = column.var
        if not var:
            row[column.name] = 0.0
            continue
        scaled = (value - column.mean) / var**0.5
        if clip and column.n >= WARM and not -clip <= scaled <= clip:
            scaled = clip if scaled > 0 else -clip
        row[column.name] = scaled


def _standard(column: Number, value: float) -> float:
    return (value - column.mean) / column.var**0.5 if column.var else 0.0


def learn_min_max(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """Update, then map the range seen so far to 0..1."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if column.n:
                    row[column.name] = _within(column, column.mean)
                continue
        if clip:
            value = _learn_clipped(column, value, clip)
        else:
            column.n = n = column.n + 1
            column.mean += (value - column.mean) / n
        low, high = column.low, column.high
        if value < low:
            column.low = low = value
        if value > high:
            column.high = high = value
        row[column.name] = (value - low) / (high - low) if low != high else 0.0


def apply_min_max(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """The same without updating."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if not column.n:
                    continue
                value = column.mean
        if clip:
            value = column.clipped(value, clip)
        row[column.name] = _within(column, value)


def _within(column: Number, value: float) -> float:
    low, high = column.low, column.high
    return (value - low) / (high - low) if low < high else 0.0


def _learn_clipped(column: Number, value: float, clip: float) -> float:
    """The clipped value; the statistics take up to ``SLACK`` times as much."""
    clipped = column.clipped(value, clip)
    column.take(value, clip)
    return clipped


def learn_plain(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """Update, and leave the value as it is but for clipping."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if column.n:
                    row[column.name] = column.mean
                continue
        n, old = column.n, column.mean
        if clip:
            off = value - old
            # The usual value, without a call: this is most of what a tree's inputs cost. A square
            # that is in doubt by a rounding goes the exact way.
            if n >= WARM and off * off < clip * clip * column.var * 0.999:
                column.n = n = n + 1
                column.mean = mean = old + off / n
                column.var += (off * (value - mean) - column.var) / n
                row[column.name] = value
            else:
                row[column.name] = _learn_clipped(column, value, clip)
            continue
        # Nobody asks for a spread here: the mean for what is missing is all.
        column.n = n = n + 1
        column.mean = old + (value - old) / n
        row[column.name] = value


def apply_plain(columns: Iterable[Number], get: Get, row: Row, clip: float) -> None:
    """The same without updating."""
    for column in columns:
        value: Any = get(column.name)
        if value.__class__ is not float or not -LARGEST <= value <= LARGEST:
            value = as_number(value)
            if value is None:
                if column.n:
                    row[column.name] = column.mean
                continue
        if clip:
            off = value - column.mean
            if off * off >= clip * clip * column.var * 0.999:
                value = column.clipped(value, clip)
        row[column.name] = value


#: By the spec's word: how to learn and scale, how to scale only.
SCALINGS: dict[str, tuple[Scaling, Scaling]] = {
    "standard": (learn_standard, apply_standard),
    "min_max": (learn_min_max, apply_min_max),
    "none": (learn_plain, apply_plain),
}
