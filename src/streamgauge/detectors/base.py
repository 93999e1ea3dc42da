"""What a detector is: River's protocol, and a state that survives a restart."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.plugins import Registered

#: Beyond this a square overflows, and with an infinite variance nothing is ever detected again.
LARGEST = 1e150


class Detector(Registered, package="streamgauge.detectors"):
    """Decides that a stream changed, one value at a time.

    ``update`` takes a value and returns nothing; ``drift_detected`` tells whether that value
    showed a change. After a detection it starts afresh with the next value. One value that is not
    finite, or whose square is not, would silence some detectors for ever: it is refused with
    ``ValueError``.
    """

    #: Values taken before a detection is possible.
    needed: int = 0

    def update(self, x: float) -> None:
        """Take one finite value."""
        self.update_many(np.array([x], dtype=np.float64))

    def update_many(self, values: NDArray[np.float64]) -> list[int]:
        """Take values in order, shape (n,); return the indices at which a change was detected."""
        if not (np.abs(values) <= LARGEST).all():
            raise ValueError(
                f"a detector takes finite values up to {LARGEST:g} only; drop NaN and infinity "
                "before, and feed ranks where values have no bound"
            )
        return self._update_many(values)

    @abstractmethod
    def _update_many(self, values: NDArray[np.float64]) -> list[int]:
        """Take finite values in order."""

    @property
    @abstractmethod
    def drift_detected(self) -> bool:
        """Whether the last value showed a change."""

    @property
    @abstractmethod
    def estimate(self) -> float | None:
        """The detector's present estimate of the series' level; None before any value."""

    @property
    @abstractmethod
    def samples(self) -> int:
        """Values taken since the start, detections notwithstanding."""

    @abstractmethod
    def state(self) -> list[Any]:
        """Plain values and bytes that ``restore`` takes back."""

    @abstractmethod
    def restore(self, state: list[Any]) -> None:
        """Become what ``state`` described; from then on it goes on identically.

        Call it on authenticated state only. Raises ``ValueError`` for one it can't read.
        """
