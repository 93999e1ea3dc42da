"""ADWIN: an adaptive window over the mean of a series, River's, behind our protocol."""

from __future__ import annotations

from operator import length_hint
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN as RiverADWIN

from streamgauge.detectors.base import Detection, Detector, Direction


class ADWIN(Detector, name="adwin"):
    """Keeps a window as long as its parts agree in mean; detects when they no longer do.

    Two-sided, unless asked otherwise. False alarms are bounded by ``delta`` per check for bounded,
    independent series: feed ranks or errors, not raw values.

    The window that is kept tells how old the change can be; River forgets it with the next value,
    so ``detect_many`` tells its width with the detection. It is cut no more than it must be, and
    reaches back to before the change: by 360 values (median; one in twenty by 750) for an error
    rate that rises from 0.2 to 0.5 after 1,000 values. For a date take HDDM-A's.

    Measured at an error rate of 0.2, which rises to 0.5 after 1,000 values in each of 4,000
    streams, with ``rises_only``:

    =====  =========================  ===========  ===============
    delta  false alarms in 10,000     mean delay   missed in 1,000
    =====  =========================  ===========  ===============
    0.002  none in 3,000,000          95 values    0 of 4,000
    0.05   0.06                       65 values    1 of 4,000
    =====  =========================  ===========  ===============

    Parameters
    ----------
    delta
        Confidence of each check; smaller means fewer false alarms and later detections.
    clock
        Values between two checks.
    grace_period
        Values before the first check.
    rises_only
        Whether changes are left out after which the mean is lower: for errors, where a fall is
        good news. The window is cut all the same.

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

    on_errors = MappingProxyType({"rises_only": True})

    def __init__(
        self,
        *,
        delta: float = 0.002,
        clock: int = 32,
        grace_period: int = 10,
        rises_only: bool = False,
    ) -> None:
        self.delta, self.clock, self.grace_period = delta, clock, grace_period
        self.rises_only = bool(rises_only)
        self.direction: Direction = "up" if rises_only else "both"
        self.needed = max(clock, grace_period)
        self._river = self._fresh()
        self._samples = 0
        #: Whether the last change was one to leave out.
        self._left_out = False

    def _fresh(self) -> Any:
        return RiverADWIN(delta=self.delta, clock=self.clock, grace_period=self.grace_period)

    def _detect_many(self, values: NDArray[np.float64]) -> list[Detection]:
        # River's public ``update``, but without a Python frame for each value: half the price.
        # A test holds both against each other.
        self._samples += len(values)
        found: list[Detection] = []
        river, rest, start = self._river, values.tolist(), 0
        while rest:
            # River throws the whole window away on the update after a detection, not before.
            if river.drift_detected:
                river._reset()
            self._left_out = False
            total, width = river.total, river.width
            coming = iter(rest)
            river._drift_detected = any(map(river._helper.update, coming))
            if not river._drift_detected:
                break
            hit = len(rest) - length_hint(coming) - 1
            if self.rises_only:
                # River's core adds value by value too: the same bits, however the stream is cut.
                for value in rest[: hit + 1]:
                    total += value
                self._left_out = river.estimation <= total / (width + hit + 1)
            if not self._left_out:
                found.append(Detection(start + hit, river.estimation, self.width))
            start, rest = start + hit + 1, rest[hit + 1 :]
        return found

    @property
    def drift_detected(self) -> bool:
        return bool(self._river.drift_detected) and not self._left_out

    @property
    def width(self) -> int:
        """Values in the window; right after a detection those that it kept."""
        return int(self._river.width)

    @property
    def estimate(self) -> float | None:
        return float(self._river.estimation) if self._river.width else None

    @property
    def samples(self) -> int:
        return self._samples

    def state(self) -> list[Any]:
        helper = self._river._helper
        state = [self._samples, bool(self._river.drift_detected), bytes(helper.__getstate__())]
        return [*state, self._left_out] if self.rises_only else state

    def restore(self, state: list[Any]) -> None:
        try:
            samples, detected, inside, left_out = state if self.rises_only else [*state, False]
        except (TypeError, ValueError):
            wanted = "four" if self.rises_only else "three"
            raise ValueError(f"not the state of an ADWIN: {wanted} values are wanted") from None
        flags = type(detected) is type(left_out) is bool and left_out <= detected
        if type(samples) is not int or samples < 0 or not flags:
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
        self._river, self._samples, self._left_out = river, samples, left_out
