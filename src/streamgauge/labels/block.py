"""Pending predictions as columns, in blocks that are written down one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

#: Rows of a full block. A block is what a checkpoint writes when one of its rows changes.
BLOCK: Final = 512
#: States of a row's label.
MISSING: Final = 0
LABELLED: Final = 1
WITHDRAWN: Final = 2
#: No label came, and the spec says that this is the truth: the negative class.
IMPLIED: Final = 3


@dataclass(slots=True, eq=False)
class Rows:
    """Predictions in log order and what is known of their truth; every array has shape (n,).

    ``logged`` is the log's time when a prediction came and ``time`` its own, in seconds since
    1970. ``number`` and ``predicted`` are what the model said: a score (nan for none) and the code
    of a class (-1 for none); ``truth_number`` and ``truth`` are the same of the label. ``weight``
    is how many predictions a row stands for. ``group`` and ``tags`` are codes of the join's tables.
    ``delay`` is the log's time from prediction to label, in seconds; below 0 where the label came
    first. ``revision``, ``observed`` (seconds since 1970) and ``annotator`` (a code) tell which of
    two labels stands.
    """

    digest: NDArray[np.uint64]
    logged: NDArray[np.float64]
    time: NDArray[np.float64]
    offset: NDArray[np.int64]
    number: NDArray[np.float64]
    predicted: NDArray[np.int32]
    group: NDArray[np.int32]
    tags: NDArray[np.int32]
    weight: NDArray[np.float64]
    state: NDArray[np.int8]
    truth_number: NDArray[np.float64]
    truth: NDArray[np.int32]
    delay: NDArray[np.float32]
    label_weight: NDArray[np.float64]
    revision: NDArray[np.int64]
    observed: NDArray[np.float64]
    annotator: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.digest)

    def columns(self) -> list[NDArray[Any]]:
        return [getattr(self, name) for name in NAMES]

    def part(self, start: int, stop: int) -> Rows:
        """A copy of rows from ``start`` up to ``stop``."""
        return Rows(*(getattr(self, name)[start:stop].copy() for name in NAMES))

    def take(self, kept: NDArray[np.intp]) -> Rows:
        """Rows by their places."""
        return Rows(*(column[kept] for column in self.columns()))

    @classmethod
    def empty(cls, n: int) -> Self:
        """Rows of which nothing is known yet."""
        return cls(*(np.full(n, _NOTHING.get(name, 0), dtype=_DTYPES[name]) for name in NAMES))

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


NAMES: Final = tuple(field.name for field in fields(Rows))
#: The columns that a label changes; the others never do.
LABEL_NAMES: Final = NAMES[NAMES.index("state") :]
OWN_NAMES: Final = NAMES[: NAMES.index("state")]
_NOTHING: Final = {
    "number": np.nan,
    "predicted": -1,
    "group": -1,
    "tags": -1,
    "weight": 1.0,
    "truth_number": np.nan,
    "truth": -1,
    "observed": np.nan,
    "annotator": -1,
}
_DTYPES: Final = {
    "digest": np.uint64,
    "logged": np.float64,
    "time": np.float64,
    "offset": np.int64,
    "number": np.float64,
    "predicted": np.int32,
    "group": np.int32,
    "tags": np.int32,
    "weight": np.float64,
    "state": np.int8,
    "truth_number": np.float64,
    "truth": np.int32,
    "delay": np.float32,
    "label_weight": np.float64,
    "revision": np.int64,
    "observed": np.float64,
    "annotator": np.int16,
}


class Block:
    """Up to ``BLOCK`` rows, and class scores of those whose models gave them.

    ``scores`` has shape (n, classes), in the order of the join's classes, nan where a class was
    not scored; None while no row has any.
    """

    __slots__ = ("changed", "labelled", "n", "rows", "scores")

    def __init__(self) -> None:
        self.n = 0
        self.rows = Rows.empty(64)
        self.scores: NDArray[np.float64] | None = None
        #: Whether rows, or labels, are to be written.
        self.changed = self.labelled = True

    @property
    def room(self) -> int:
        return BLOCK - self.n

    def append(self, rows: Rows, scores: NDArray[np.float64] | None) -> None:
        """Take rows for which there is room."""
        end = self.n + len(rows)
        if end > len(self.rows):
            self._grow(min(max(end, 2 * len(self.rows)), BLOCK))
        for name in NAMES:
            getattr(self.rows, name)[self.n : end] = getattr(rows, name)
        if scores is not None or self.scores is not None:
            self._score(scores, self.n, end)
        self.n, self.changed = end, True

    def _grow(self, size: int) -> None:
        grown = Rows.empty(size)
        for name in NAMES:
            getattr(grown, name)[: self.n] = getattr(self.rows, name)[: self.n]
        self.rows = grown

    def _score(self, scores: NDArray[np.float64] | None, start: int, end: int) -> None:
        width = max(
            0 if scores is None else scores.shape[1],
            0 if self.scores is None else self.scores.shape[1],
        )
        known = self.scores
        if known is None or known.shape != (len(self.rows), width):
            grown = np.full((len(self.rows), width), np.nan)
            if known is not None:
                grown[: len(known), : known.shape[1]] = known
            self.scores = known = grown
        if scores is not None:
            known[start:end, : scores.shape[1]] = scores

    def state(self) -> list[Any]:
        """What never changes once the block is full."""
        scores = self.scores[: self.n] if self.scores is not None else None
        return [
            [_plain(getattr(self.rows, name)[: self.n]) for name in OWN_NAMES],
            None if scores is None else [scores.shape[1], scores.ravel()],
        ]

    def label_state(self) -> list[Any]:
        """The labels of rows that have one."""
        at = np.flatnonzero(self.rows.state[: self.n])
        return [at, [_plain(getattr(self.rows, name)[at]) for name in LABEL_NAMES]]

    @classmethod
    def from_state(cls, state: list[Any], labels: list[Any] | None) -> Block:
        own, scores = state
        made = cls()
        made.n = len(own[0])
        made.rows = Rows.empty(max(made.n, 1))
        for name, column in zip(OWN_NAMES, own, strict=True):
            getattr(made.rows, name)[: made.n] = _own(name, column)
        if scores is not None:
            width, flat = scores
            made.scores = np.full((len(made.rows), width), np.nan)
            made.scores[: made.n] = flat.reshape(made.n, width)
        if labels is not None:
            at, columns = labels
            # Rows that were written, and then a crash took: they come again from the log.
            for name, column in zip(LABEL_NAMES, columns, strict=True):
                getattr(made.rows, name)[at] = _own(name, column)
        made.changed = made.labelled = False
        return made


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    # A digest is stored by its bits: packing reads unsigned numbers back as signed ones.
    return column.view(np.int64) if column.dtype == np.uint64 else column


def _own(name: str, column: NDArray[Any]) -> NDArray[Any]:
    return column.view(np.uint64) if _DTYPES[name] == np.uint64 else column
