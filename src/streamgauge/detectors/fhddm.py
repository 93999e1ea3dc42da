"""FHDDM: the share of right predictions in a sliding window, against its maximum."""

from __future__ import annotations

from math import floor, log, sqrt

from streamgauge.detectors.base import severity_of
from streamgauge.detectors.error_detector import ErrorDetector

#: As many values are kept as bytes in the state.
_LARGEST_WINDOW = 4096


class FHDDM(ErrorDetector, name="fhddm"):
    """Detects when accuracy in a sliding window falls below its maximum by Hoeffding's bound.

    Fed with errors, like every detector here. River's class is documented so too, but wants the
    contrary: fed with errors it detects that they *fall*.

    Measured at an error rate of 0.2, which rises to 0.5 after 1,000 values in each of 4,000
    streams:

    =========================  ===========  ===============
    false alarms in 10,000     mean delay   missed in 1,000
    =========================  ===========  ===============
    0.19                       61 values    2 of 4,000
    =========================  ===========  ===============

    With ``short_window_size: 25`` they are 0.36, 42 values and 2 of 4,000.

    Parameters
    ----------
    sliding_window_size
        Values in the window; none is judged before it is full.
    confidence_level
        Probability of a false detection that the bound allows in one comparison.
    short_window_size
        Values in a second window inside of the first, which hears large changes sooner (FHDDMS);
        None for no such window.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = rng.random(2000) < np.repeat([0.2, 0.5], 1000)
    >>> FHDDM().update_many(errors.astype(float))
    [1062]

    References
    ----------
    Pesaranghader, A. and Viktor, H. (2016). Fast Hoeffding drift detection method for evolving
    data streams. ECML PKDD, 96-111. Pesaranghader, A., Viktor, H. and Paquet, E. (2018).
    Reservoir of diverse adaptive learners and stacking fast Hoeffding drift detection methods for
    evolving data streams. Machine Learning 107, 1711-1743.
    """

    false_alarms = 0.19
    _inside = {"_window": (0, _LARGEST_WINDOW), "_best": (0, 1), "_best_short": (0, 1)}

    def __init__(
        self,
        *,
        sliding_window_size: int = 100,
        confidence_level: float = 1e-6,
        short_window_size: int | None = None,
    ) -> None:
        size, short = sliding_window_size, short_window_size
        if not (1 <= size <= _LARGEST_WINDOW and 0 < confidence_level < 1):
            raise ValueError(
                f"wanted: sliding_window_size from 1 to {_LARGEST_WINDOW}, confidence_level above "
                "0 and below 1"
            )
        if short is not None and not 1 <= short <= size:
            raise ValueError("wanted: short_window_size from 1 to sliding_window_size")
        self.sliding_window_size, self.confidence_level = size, confidence_level
        self.short_window_size = short
        windows = [each for each in (size, short) if each is not None]
        bounds = [(each, sqrt(log(1 / confidence_level) / (2 * each))) for each in windows]
        self._bound, self._short_bound = bounds[0][1], bounds[-1][1]
        if min(self._bound, self._short_bound) >= 1:
            raise ValueError(
                f"a window of {size} is too short for a confidence_level of {confidence_level:g}: "
                "not even all right and then all wrong is a change; take a longer one"
            )
        # A full window, and then as many errors as it takes.
        self.needed = size + min(floor(each * bound) for each, bound in bounds if bound < 1)
        super().__init__()

    def _start(self) -> None:
        self._window = b""
        self._best = self._best_short = 0.0

    def _take(self, values: list[float]) -> int:
        size, short = self.sliding_window_size, self.short_window_size
        bound, short_bound = self._bound, self._short_bound
        best, best_short = self._best, self._best_short
        # The window, zeros where it is not yet full, and then the values: what leaves it stands
        # ``size`` before what comes in. Counts are whole, so the order of sums does not matter.
        missing = size - len(self._window)
        line = [0.0] * missing + [float(bit) for bit in self._window] + values
        errors, errors_short = sum(line[:size]), sum(line[size - (short or 0) : size])
        taken = len(values)
        for index, value in enumerate(values):
            errors += value - line[index]
            if short is not None:
                errors_short += value - line[index + size - short]
            if index + 1 < missing:
                continue
            right = (size - errors) / size
            if best < right:
                best = right
            detected = best - right > bound
            if short is not None:
                right = (short - errors_short) / short
                if best_short < right:
                    best_short = right
                detected = detected or best_short - right > short_bound
            if detected:
                self._detected, taken = True, index + 1
                break
        self._window = bytes(map(int, line[max(taken, missing) : taken + size]))
        self._best, self._best_short = best, best_short
        return taken

    def _whole(self) -> bool:
        fits = len(self._window) <= min(self.sliding_window_size, self._samples)
        return fits and set(self._window) <= {0, 1}

    @property
    def estimate(self) -> float | None:
        return sum(self._window) / len(self._window) if self._window else None

    @property
    def severity(self) -> float | None:
        size, short = self.sliding_window_size, self.short_window_size
        if len(self._window) < size:
            return None
        severity = severity_of(self._best - (size - sum(self._window)) / size, self._bound)
        if short is None:
            return severity
        right = (short - sum(self._window[-short:])) / short
        return max(severity, severity_of(self._best_short - right, self._short_bound))
