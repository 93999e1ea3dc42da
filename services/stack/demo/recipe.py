"""What the usual recipe would have sent: PSI above 0.1 per window, and ADWIN on raw values.

It sees the same events and the same reference as Streamgauge. It is here to be compared with, and
is written the way that it is usually written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: The folklore's "some change".
PSI_LIMIT = 0.1
#: As many events as our own judgement window holds at the least.
WINDOW = 500


def population_stability(
    reference: NDArray[np.float64], current: np.ndarray, edges: np.ndarray
) -> float:
    """PSI over given bin edges; empty bins count as one in ten thousand."""
    expected, actual = (
        np.clip(np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) / len(x), 1e-4, 1)
        for x in (reference, current)
    )
    return float(np.sum((actual - expected) * np.log(actual / expected)))


class UsualRecipe:
    """Counts the alarms of the usual recipe for one model.

    Parameters
    ----------
    reference
        Values of each feature; without one the first ``learn`` events are it.
    """

    def __init__(
        self, *, reference: Mapping[str, Sequence[float]] | None = None, learn: int = 3_000
    ) -> None:
        self._features: dict[str, _Feature] = {}
        self._reference = reference
        self._learn = learn
        self.alarms = 0

    def observe(self, features: Mapping[str, object]) -> int:
        """Take one event; the answer is how many alarms it would have sent."""
        sent = 0
        for name, value in features.items():
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                continue
            feature = self._features.get(name)
            if feature is None:
                given = None if self._reference is None else self._reference.get(name)
                feature = self._features[name] = _Feature(given, learn=self._learn)
            sent += feature.observe(float(value))
        self.alarms += sent
        return sent


class _Feature:
    def __init__(self, reference: Sequence[float] | None, *, learn: int) -> None:
        from river.drift import ADWIN

        self._adwin = ADWIN()
        self._learn = learn
        self._window: list[float] = []
        self._reference: NDArray[np.float64] | None = None
        self._edges = np.empty(0)
        if reference is not None:
            self._judge_by(reference)

    def observe(self, value: float) -> int:
        self._adwin.update(value)
        sent = int(self._adwin.drift_detected)
        self._window.append(value)
        if self._reference is None:
            if len(self._window) >= self._learn:
                self._judge_by(self._window)
        elif len(self._window) >= WINDOW:
            current = np.array(self._window)
            sent += population_stability(self._reference, current, self._edges) > PSI_LIMIT
            self._window = []
        return sent

    def _judge_by(self, reference: Sequence[float]) -> None:
        self._reference = np.array(reference)
        self._edges = np.unique(np.quantile(self._reference, np.linspace(0.1, 0.9, 9)))
        self._window = []
