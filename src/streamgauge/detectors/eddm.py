"""EDDM: errors that follow each other more closely than they used to."""

from __future__ import annotations

from streamgauge.detectors.base import LARGEST, severity_of
from streamgauge.detectors.error_detector import MOST, ErrorDetector


class EDDM(ErrorDetector, name="eddm"):
    """Detects when the distance between errors falls well below the greatest seen.

    It hears slow changes, and much that is none: it is wrong about twice in a thousand values. Its
    statistic moves with errors only; ``warning_detected`` stays as the last error left it.

    Measured at an error rate of 0.2, which rises to 0.5 after 1,000 values in each of 4,000
    streams:

    =========================  ===========  ===============
    false alarms in 10,000     mean delay   missed in 1,000
    =========================  ===========  ===============
    19.7                       41 values    5 of 4,000
    =========================  ===========  ===============

    Parameters
    ----------
    warm_start
        Values, and then errors, after which it begins to look.
    alpha
        Share of the greatest distance (mean and two deviations) below which it warns.
    beta
        Share of the greatest distance below which it detects.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = rng.random(2000) < np.repeat([0.2, 0.5], 1000)
    >>> EDDM().update_many(errors.astype(float))[:6]
    [140, 284, 443, 583, 751, 1013]

    References
    ----------
    Baena-García, M., del Campo-Ávila, J., Fidalgo, R., Bifet, A., Gavaldà, R. and
    Morales-Bueno, R. (2006). Early drift detection method. International Workshop on Knowledge
    Discovery from Data Streams.
    """

    false_alarms = 19.7
    _inside = {
        "_n": (0, MOST),
        "_last": (0, MOST),
        "_errors": (0, MOST),
        "_mean": (0, MOST),
        "_squares": (0, LARGEST),
        "_greatest": (0, LARGEST),
    }

    def __init__(self, *, warm_start: int = 30, alpha: float = 0.95, beta: float = 0.9) -> None:
        if not (warm_start >= 1 and 0 < beta <= alpha <= 1):
            raise ValueError(
                "wanted: warm_start of 1 or more, beta above 0 and at most alpha, alpha at most 1"
            )
        self.warm_start, self.alpha, self.beta = warm_start, alpha, beta
        # As many errors, and the first of those that count is the greatest so far.
        self.needed = warm_start + 2
        super().__init__()

    def _start(self) -> None:
        self._n = self._last = self._errors = 0
        self._mean, self._squares, self._greatest = 0.0, 0.0, 0.0

    def _take(self, values: list[float]) -> int:
        n, last, errors = self._n, self._last, self._errors
        mean, squares, greatest = self._mean, self._squares, self._greatest
        warm, taken = self.warm_start, len(values)
        for index, value in enumerate(values):
            n += 1
            if not value:
                continue
            errors += 1
            distance, before = n - last, mean
            last = n
            mean += (1.0 / errors) * (distance - mean)
            squares += (distance - before) * (distance - mean)
            if n <= warm:
                continue
            level = mean + 2 * self._deviation(squares, errors)
            if level > greatest:
                greatest = level
            elif errors > warm:
                share = level / greatest
                if share < self.beta:
                    # River leaves the warning as it was, and so does this.
                    self._detected, taken = True, index + 1
                    break
                self._warned = share < self.alpha
        self._n, self._last, self._errors = n, last, errors
        self._mean, self._squares, self._greatest = mean, squares, greatest
        return taken

    @staticmethod
    def _deviation(squares: float, errors: int) -> float:
        # A power, as in River: a square root may differ in the last bit.
        return float((squares / (errors - 1)) ** 0.5) if errors > 1 else 0.0

    def _whole(self) -> bool:
        return self._errors <= self._last <= self._n <= self._samples

    @property
    def estimate(self) -> float | None:
        return self._errors / self._n if self._n else None

    @property
    def severity(self) -> float | None:
        if self._errors <= self.warm_start or not self._greatest:
            return None
        level = self._mean + 2 * self._deviation(self._squares, self._errors)
        return severity_of(self.beta * self._greatest, level)
