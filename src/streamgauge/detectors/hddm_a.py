"""HDDM-A: two means of errors, compared by Hoeffding's bound."""

from __future__ import annotations

from math import ceil, log, sqrt

from streamgauge.detectors.base import Direction, severity_of
from streamgauge.detectors.error_detector import MOST, ErrorDetector


class HDDMA(ErrorDetector, name="hddm_a"):
    """Detects when the mean of all errors leaves the mean up to the best cut, beyond its bound.

    The cut is where the mean and its bound were lowest, and dates the change: of changes from 0.2
    to 0.5 after 1,000 values half are dated within 30 to either side, nearly all others earlier
    (one in twenty by 400). With ADWIN it is the sound default for errors.

    Measured at an error rate of 0.2, which rises to 0.5 after 1,000 values in each of 4,000
    streams:

    =========================  ===========  ===============
    false alarms in 10,000     mean delay   missed in 1,000
    =========================  ===========  ===============
    0.13                       58 values    1 of 4,000
    =========================  ===========  ===============

    Parameters
    ----------
    drift_confidence
        Probability of a false detection that the bound allows in one comparison.
    warning_confidence
        The same of a warning.
    two_sided_test
        Whether a falling error rate is a change too.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = rng.random(2000) < np.repeat([0.2, 0.5], 1000)
    >>> HDDMA().update_many(errors.astype(float))
    [1067]

    References
    ----------
    Frías-Blanco, I., del Campo-Ávila, J., Ramos-Jiménez, G., Morales-Bueno, R., Ortiz-Díaz, A.
    and Caballero-Mota, Y. (2015). Online and non-parametric drift detection methods based on
    Hoeffding's bounds. IEEE Transactions on Knowledge and Data Engineering 27(3), 810-823.
    """

    false_alarms = 0.13
    _inside = {
        "_n": (0, MOST),
        "_mean": (0, 1),
        "_low_n": (0, MOST),
        "_low": (0, 1),
        "_high_n": (0, MOST),
        "_high": (0, 1),
    }

    def __init__(
        self,
        *,
        drift_confidence: float = 0.001,
        warning_confidence: float = 0.005,
        two_sided_test: bool = False,
    ) -> None:
        if not 0 < drift_confidence <= warning_confidence < 1:
            raise ValueError(
                "wanted: drift_confidence above 0 and at most warning_confidence, and that below 1"
            )
        self.drift_confidence, self.warning_confidence = drift_confidence, warning_confidence
        self.two_sided_test = bool(two_sided_test)
        self.direction: Direction = "both" if two_sided_test else "up"
        # With fewer values not even zeros and then ones are beyond the bound.
        self.needed = ceil(2 * log(2.0 / drift_confidence))
        super().__init__()

    def _start(self) -> None:
        self._n = self._low_n = self._high_n = 0
        self._mean = self._low = self._high = 0.0

    def _take(self, values: list[float]) -> int:
        n, mean, low_n, low = self._n, self._mean, self._low_n, self._low
        cut = log(1.0 / self.drift_confidence)
        drift, warning = log(2.0 / self.drift_confidence), log(2.0 / self.warning_confidence)
        low_bound = sqrt(1.0 / (2 * low_n) * cut) if n else 0.0
        both, taken, detected, warned = self.two_sided_test, len(values), False, self._warned
        for index, value in enumerate(values):
            n += 1
            mean += (1.0 / n) * (value - mean)
            bound = sqrt(1.0 / (2 * n) * cut)
            if n == 1 or low + low_bound >= mean + bound:
                low_n, low, low_bound = n, mean, bound
            warned, gap = False, mean - low
            # Many values have no gap: that saves the price of the roots.
            if gap > 0:
                spread = (n - low_n) / low_n * (1.0 / n)
                detected = gap >= sqrt(spread / 2 * drift)
                warned = not detected and gap >= sqrt(spread / 2 * warning)
            if both:
                fell, near = self._fall(n, mean, bound)
                detected, warned = detected or fell, warned or near
            if detected:
                taken = index + 1
                break
        self._detected, self._warned = detected, warned
        self._n, self._mean, self._low_n, self._low = n, mean, low_n, low
        return taken

    def _fall(self, n: int, mean: float, bound: float) -> tuple[bool, bool]:
        """Whether the mean fell, and whether that seems near."""
        cut = log(1.0 / self.drift_confidence)
        if n == 1 or self._high - sqrt(1.0 / (2 * self._high_n) * cut) <= mean - bound:
            self._high_n, self._high = n, mean
        gap = self._high - mean
        if gap <= 0:
            return False, False
        spread = (n - self._high_n) / self._high_n * (1.0 / n)
        if gap >= sqrt(spread / 2 * log(2.0 / self.drift_confidence)):
            return True, False
        return False, gap >= sqrt(spread / 2 * log(2.0 / self.warning_confidence))

    def _whole(self) -> bool:
        cuts = [self._low_n, self._high_n] if self.two_sided_test else [self._low_n]
        return self._n <= self._samples and all((1 if self._n else 0) <= c <= self._n for c in cuts)

    @property
    def estimate(self) -> float | None:
        return self._mean if self._n else None

    @property
    def width(self) -> int:
        cut = self._low_n
        if self.two_sided_test and self._fallen() > self._risen():
            cut = self._high_n
        return self._n - cut

    @property
    def severity(self) -> float | None:
        if not self._n:
            return None
        return max(self._risen(), self._fallen()) if self.two_sided_test else self._risen()

    def _risen(self) -> float:
        return self._severity(self._mean - self._low, self._low_n)

    def _fallen(self) -> float:
        return self._severity(self._high - self._mean, self._high_n)

    def _severity(self, gap: float, cut_n: int) -> float:
        if not cut_n:
            return 0.0
        spread = (self._n - cut_n) / cut_n * (1.0 / self._n)
        return severity_of(gap, sqrt(spread / 2 * log(2.0 / self.drift_confidence)))
