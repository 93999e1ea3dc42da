"""What detectors of an error series have in common: errors in, a count and two flags kept."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from streamgauge.detectors.base import Detection, Detector, Direction

#: No count of values is beyond it: floats are exact up to here.
MOST = 2**53


class ErrorDetector(Detector):
    """A detector of rising errors: it takes 1 for an error and 0 for none, and nothing else.

    Subclasses keep plain numbers, with the very operations of River's class in the same order:
    that gives the same bits, without the copies that River makes. Tests hold both against each
    other. Detectors of errors are for a series in the order of the *predictions*: labels that
    come in another order, positives first, look like change where there is none.
    """

    series = "error"
    direction: Direction = "up"
    #: The attributes that the state holds, and the range in which each makes sense.
    _inside: ClassVar[dict[str, tuple[float, float]]]

    def __init__(self) -> None:
        self._samples = 0
        self._detected = self._warned = False
        self._start()

    @abstractmethod
    def _start(self) -> None:
        """Forget all values."""

    @abstractmethod
    def _take(self, values: list[float]) -> int:
        """Take values up to the first detection; return how many were taken.

        Sets ``_detected`` and ``_warned`` as the last value left them.
        """

    def _whole(self) -> bool:
        """Whether the attributes agree with each other, after ``restore`` has set them."""
        return True

    def _detect_many(self, values: NDArray[np.float64]) -> list[Detection]:
        # Plus 0.0 makes one of the two zeros: state must not tell them apart.
        rest, taken = (values + 0.0).tolist(), 0
        found: list[Detection] = []
        while rest:
            if self._detected:
                self._start()
                self._detected = self._warned = False
            taken += (step := self._take(rest))
            rest = rest[step:]
            if self._detected:
                found.append(Detection(taken - 1, self.estimate or 0.0, self.width))
        self._samples += taken
        return found

    @property
    def drift_detected(self) -> bool:
        return self._detected

    @property
    def warning_detected(self) -> bool:
        return self._warned

    @property
    def samples(self) -> int:
        return self._samples

    def state(self) -> list[Any]:
        inside = [getattr(self, name) for name in self._inside]
        return [self._samples, self._detected, self._warned, *inside]

    def restore(self, state: list[Any]) -> None:
        what = f"not the state of a {type(self).__name__}"
        fresh = [0, False, False, *(getattr(self, name) for name in self._inside)]
        if not isinstance(state, list) or len(state) != len(fresh):
            raise ValueError(f"{what}: a list of {len(fresh)} values is wanted")
        ranges = [(0, MOST), (0, 1), (0, 1), *self._inside.values()]
        for value, own, (low, high) in zip(state, fresh, ranges, strict=True):
            if type(value) is not type(own) or not low <= _size(value) <= high:
                raise ValueError(f"{what}: a value is of another kind, or beyond its range")
        before = self.state()
        self._set(state)
        if not self._whole():
            self._set(before)
            raise ValueError(f"{what}: its values do not agree with each other")

    def _set(self, state: list[Any]) -> None:
        self._samples, self._detected, self._warned = state[:3]
        for name, value in zip(self._inside, state[3:], strict=True):
            setattr(self, name, value)


def _size(value: float | bytes) -> float:
    return len(value) if isinstance(value, bytes) else value
