"""What a detector is: River's protocol, and a state that survives a restart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.plugins import Registered

#: Beyond this a square overflows, and with an infinite variance nothing is ever detected again.
LARGEST = 1e150

#: A severity beyond it says no more than this.
LOUDEST = 1e6

Direction = Literal["both", "up", "down"]


@dataclass(frozen=True, slots=True)
class Detection:
    """A change, as it looked at the moment of its detection: the next value starts afresh."""

    #: Which of the values of this call showed it.
    index: int
    #: The level of the series then, as the detector saw it.
    estimate: float
    #: Values since the change, this one among them; None where a detector dates nothing.
    width: int | None


class Detector(Registered, package="streamgauge.detectors"):
    """Decides that a stream changed, one value at a time.

    ``update`` takes a value and returns nothing; ``drift_detected`` tells whether that value
    showed a change. After a detection it starts afresh with the next value. One value that is not
    finite, or whose square is not, would silence some detectors for ever: it is refused with
    ``ValueError``.
    """

    #: What it takes: ``any`` finite values, or ``error``: 1 where a prediction was wrong, else 0.
    series: ClassVar[Literal["any", "error"]] = "any"
    #: Which changes it reports: ``up`` for rises of the level only, ``down`` for falls only.
    direction: Direction = "both"
    #: False alarms in 10,000 stationary, independent values (ranks; errors at a rate of 0.2) with
    #: the default parameters, measured. A test holds the detector to it.
    false_alarms: ClassVar[float] = 0.0
    #: The parameters that a series of errors wants, where others are not asked for.
    on_errors: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    #: Values taken before a detection is possible.
    needed: int = 0

    @classmethod
    def create_for_errors(cls, name: str, **params: Any) -> Self:
        """The detector of that name for a series of errors: a fall is good news and not told.

        Raises ``PluginError`` for unknown names and parameters, as ``create`` does.
        """
        return cls.create(name, **{**cls.named(name).on_errors, **params})

    def update(self, x: float) -> None:
        """Take one finite value."""
        self.update_many(np.array([x], dtype=np.float64))

    def update_many(self, values: NDArray[np.float64]) -> list[int]:
        """Take values in order, shape (n,); return the indices at which a change was detected."""
        return [detection.index for detection in self.detect_many(values)]

    def detect_many(self, values: NDArray[np.float64]) -> list[Detection]:
        """Take values in order, shape (n,); return the changes, with what they looked like.

        A change of known ``width`` began about value number ``samples - width`` since the start,
        where ``samples`` counts the values up to and with the one that showed it. How near that
        is stands with each detector that dates.
        """
        if not (np.abs(values) <= LARGEST).all():
            raise ValueError(
                f"a detector takes finite values up to {LARGEST:g} only; drop NaN and infinity "
                "before, and feed ranks where values have no bound"
            )
        if self.series == "error" and not ((values == 0) | (values == 1)).all():
            raise ValueError(
                f"{self.name} takes errors only: 1 where the prediction was wrong, else 0; for "
                "other series take adwin or page_hinkley"
            )
        return self._detect_many(values)

    @abstractmethod
    def _detect_many(self, values: NDArray[np.float64]) -> list[Detection]:
        """Take values that are known to be right, in order."""

    @property
    @abstractmethod
    def drift_detected(self) -> bool:
        """Whether the last value showed a change."""

    @property
    def warning_detected(self) -> bool:
        """Whether a change seems near; never true of detectors that do not warn."""
        return False

    @property
    @abstractmethod
    def estimate(self) -> float | None:
        """The detector's present estimate of the series' level; None before any value."""

    @property
    def severity(self) -> float | None:
        """The present statistic divided by its threshold: from 1 on it is a detection.

        Where both are equal, rounding and the detector's own comparison decide. None while there
        is nothing to compare, and for detectors that do not tell.
        """
        return None

    @property
    def width(self) -> int | None:
        """Values that it holds to be of the present level; None where it dates nothing."""
        return None

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


def severity_of(statistic: float, threshold: float) -> float:
    """Divide the one by the other, from 0 to ``LOUDEST``.

    >>> severity_of(3.0, 2.0), severity_of(-1.0, 2.0), severity_of(1.0, 0.0)
    (1.5, 0.0, 1000000.0)
    """
    if statistic <= 0:
        return 0.0
    # A perfect past has a threshold of 0, and every error is beyond it.
    return LOUDEST if statistic >= LOUDEST * threshold else statistic / threshold
