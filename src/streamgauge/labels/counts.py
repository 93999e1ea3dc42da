"""What became of labels and predictions, and how long labels take."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Upper bounds of delays in seconds, five a decade from 10 ms to three years.
DELAY_EDGES: Final[NDArray[np.float64]] = np.power(10.0, np.arange(-10, 41) / 5.0)


def _bins() -> NDArray[np.int64]:
    return np.zeros(len(DELAY_EDGES) + 1, dtype=np.int64)


@dataclass(slots=True)
class JoinCounts:
    """Totals since the start.

    ``conflicts`` are other truths of the same revision, ``outdated`` those of a lower one,
    ``unsampled`` labels of predictions that were not admitted. ``agreed`` and ``disagreed`` count
    truths of a second annotator. ``delays`` are those of labels by bin of ``DELAY_EDGES``;
    ``censored`` are ages of predictions that left without a label.
    """

    predictions: int = 0
    admitted: int = 0
    repeated: int = 0
    labels: int = 0
    joined: int = 0
    early: int = 0
    duplicates: int = 0
    corrections: int = 0
    withdrawn: int = 0
    conflicts: int = 0
    outdated: int = 0
    unsampled: int = 0
    implied: int = 0
    settled: int = 0
    settled_labelled: int = 0
    expired: int = 0
    agreed: int = 0
    disagreed: int = 0
    delays: NDArray[np.int64] = field(default_factory=_bins)
    censored: NDArray[np.int64] = field(default_factory=_bins)

    def get(self) -> dict[str, int]:
        """The counters by name."""
        return {name: getattr(self, name) for name in COUNTERS}

    def state(self) -> list[Any]:
        return [getattr(self, each.name) for each in fields(self)]

    @classmethod
    def from_state(cls, state: list[Any]) -> JoinCounts:
        return cls(*state)


COUNTERS: Final = tuple(each.name for each in fields(JoinCounts) if each.type == "int")


def by_delay(seconds: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Delays (n,) as counts per bin of ``DELAY_EDGES``, shape (bins,)."""
    return np.bincount(
        np.searchsorted(DELAY_EDGES, seconds, side="left"), minlength=len(DELAY_EDGES) + 1
    )


def delay_quantile(
    labelled: NDArray[np.int64], censored: NDArray[np.int64], q: float
) -> float | None:
    """Delay in seconds that a share ``q`` of all predictions' labels keep, or None.

    None where labels that have not come yet leave it open. ``labelled`` and ``censored`` are counts
    by bin of ``DELAY_EDGES``: delays of labels that came, and ages of predictions that still wait,
    or waited in vain. The answer is the upper bound of its bin.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations.
    Journal of the American Statistical Association 53(282), 457-481.
    """
    # Those that reach a bin; who leaves within it is taken to leave at its end.
    leaving = labelled + censored
    at_risk = leaving[::-1].cumsum()[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        survival = np.cumprod(np.where(at_risk > 0, 1.0 - labelled / at_risk, 1.0))
    reached = np.flatnonzero(1.0 - survival >= q - 1e-12)
    if not len(reached) or reached[0] >= len(DELAY_EDGES):
        return None
    return float(DELAY_EDGES[reached[0]])
