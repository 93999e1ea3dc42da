"""ADWIN: an adaptive window over the mean of a series, River's, behind our protocol."""

from __future__ import annotations

from itertools import compress, count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN as RiverADWIN

from streamgauge.detectors.base import Detector


class ADWIN(Detector, name="adwin"):
    """Keeps a window as long as its parts agree in mean; detects when they no longer do.

    Two-sided. False alarms are bounded by ``delta`` per check for bounded, independent series:
    feed ranks or errors, not raw values.

    Parameters
    ----------
    delta
        Confidence of each check; smaller means fewer false alarms and later detections.
    clock
        Values between two checks.
    grace_period
        Values before the first check.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.RandomState(12345)
    >>> stream = np.concatenate([rng.randint(2, size=1000), rng.randint(8, size=1000)])
    >>> ADWIN().update_many(stream.astype(float))
    [1023]

    References
    ----------
    Bifet, A. and Gavaldà, R. (2007). Learning from time-changing data with adaptive windowing.
    SIAM International Conference on Data Mining, 443-448.
    """

    def __init__(self, *, delta: float = 0.002, clock: int = 32, grace_period: int = 10) -> None:
        self.delta, self.clock, self.grace_period = delta, clock, grace_period
        self.needed = max(clock, grace_period)
        self._river = self._fresh()
        self._samples = 0

    def _fresh(self) -> Any:
        return RiverADWIN(delta=self.delta, clock=self.clock, grace_period=self.grace_period)

    def _update_many(self, values: NDArray[np.float64]) -> list[int]:
        # River's public ``update``, but without a Python frame for each value: half the price.
        # A test holds both against each other.
        self._samples += len(values)
        found: list[int] = []
        river, rest, start = self._river, values.tolist(), 0
        while rest:
            # River throws the whole window away on the update after a detection, not before.
            if river.drift_detected:
                river._reset()
            hits = compress(count(), map(river._helper.update, rest))
            hit = next(hits, None)
            river._drift_detected = hit is not None
            if hit is None:
                break
            found.append(start + hit)
            start, rest = start + hit + 1, rest[hit + 1 :]
        return found

    @property
    def drift_detected(self) -> bool:
        return bool(self._river.drift_detected)

    @property
    def estimate(self) -> float | None:
        return float(self._river.estimation) if self._river.width else None

    @property
    def samples(self) -> int:
        return self._samples

    def state(self) -> list[Any]:
        helper = self._river._helper
        return [self._samples, self.drift_detected, bytes(helper.__getstate__())]

    def restore(self, state: list[Any]) -> None:
        try:
            samples, detected, inside = state
        except (TypeError, ValueError):
            raise ValueError("not the state of an ADWIN: three values are wanted") from None
        if type(samples) is not int or samples < 0 or type(detected) is not bool:
            raise ValueError("not the state of an ADWIN: its count or its flag is none")
        river = self._fresh()
        try:
            river._helper.__setstate__(inside)
            whole = bytes(river._helper.__getstate__()) == inside
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # River's core panics on garbage, and a panic is no Exception.
            raise ValueError(f"not the state of an ADWIN: {type(error).__name__}") from None
        if not whole:
            # The core takes what it can use and leaves the rest unread.
            raise ValueError("not the state of an ADWIN: bytes are left over")
        river._drift_detected = detected
        self._river, self._samples = river, samples
