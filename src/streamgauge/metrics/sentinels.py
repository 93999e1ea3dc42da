"""Numbers that stand for "no value": codes that somebody's system writes where it has none."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric

_NINES = [float("9" * digits) for digits in (3, 4, 5, 6, 8)]

#: The codes, ascending. −1 and 99 are none: too often they are values. Behind the nines of files
#: and forms come the limits of whole numbers (16, 32, 64 bits), the seconds of 0001-01-01 and of
#: 9999-12-31, 1e20 (climate data), 9.97e36 (NetCDF), the limits of 32-bit and 64-bit floats.
SENTINELS: NDArray[np.float64] = np.unique(
    [
        *_NINES,
        *(-nines for nines in _NINES),
        -32768.0,
        32767.0,
        65535.0,
        -(2.0**31),
        2.0**31 - 1,
        2.0**32 - 1,
        -(2.0**63),
        2.0**63,
        -62135596800.0,
        253402300799.0,
        1e20,
        9.969209968386869e36,
        -float(np.finfo(np.float32).max),
        float(np.finfo(np.float32).max),
        -float(np.finfo(np.float64).max),
        float(np.finfo(np.float64).max),
    ]
)
#: No code is nearer to zero, so a column below it needs no search.
LEAST = float(np.abs(SENTINELS).min())


class Sentinels(Metric, name="sentinels"):
    """Values of a numeric column, and those that are one of ``SENTINELS``, by code.

    Examples
    --------
    >>> import numpy as np
    >>> s = Sentinels()
    >>> s.update(np.array([20.5, -999.0, -999.0, 18.0]))
    >>> s.get(), s.found()
    ({'sentinel_ratio': 0.5}, {-999.0: 2})
    """

    __slots__ = ("counts", "n")

    def __init__(self) -> None:
        self.n = 0
        #: Count of each code, in the order of ``SENTINELS``.
        self.counts: NDArray[np.int64] = np.zeros(len(SENTINELS), dtype=np.int64)

    def update(self, values: NDArray[np.float64], weights: NDArray[np.int64] | None = None) -> None:
        """Take finite values, shape (n,), and how many values each stands for."""
        self.n += len(values) if weights is None else int(weights.sum())
        far = np.abs(values) >= LEAST
        if not far.any():
            return
        large = values[far]
        place = np.minimum(np.searchsorted(SENTINELS, large), len(SENTINELS) - 1)
        hits = np.flatnonzero(SENTINELS[place] == large)
        if len(hits):
            each = 1 if weights is None else weights[far][hits]
            np.add.at(self.counts, place[hits], each)

    def found(self) -> dict[float, int]:
        """Codes that occurred, and how often, the most frequent first."""
        rows = np.flatnonzero(self.counts).tolist()
        ranked = sorted(rows, key=lambda row: (-int(self.counts[row]), row))
        return {float(SENTINELS[row]): int(self.counts[row]) for row in ranked}

    def merge(self, other: Self) -> None:
        self.n += other.n
        self.counts += other.counts

    def state(self) -> list[Any]:
        # Nearly always there is none, and a state holds a thousand features.
        rows = np.flatnonzero(self.counts)
        return [self.n, [[float(SENTINELS[row]), int(self.counts[row])] for row in rows.tolist()]]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.n = state[0]
        for code, count in state[1]:
            # A code of another version's list is no code any more.
            made.counts[code == SENTINELS] = count
        return made

    def get(self) -> dict[str, float]:
        return {"sentinel_ratio": int(self.counts.sum()) / self.n} if self.n else {}
