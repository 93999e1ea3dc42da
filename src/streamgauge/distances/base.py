"""What a distance is: a number from two histograms, and the threshold that chance reaches."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from streamgauge.plugins import Registered

Counts = NDArray[np.int64]


class Distance(Registered, package="streamgauge.distances"):
    """A distance between two histograms over the same bins.

    Counts are integers of shape (bins,). A distance is 0 for equal shares and never NaN; with one
    side empty it is 0 as well, because nothing was measured.
    """

    #: Whether the order of the bins means something (it does not for categories).
    ordered = False

    @abstractmethod
    def value(self, reference: Counts, current: Counts) -> float:
        """Return the distance."""

    @abstractmethod
    def threshold(self, reference: Counts, current: Counts, *, alpha: float) -> float:
        """Return the value that two samples of one distribution exceed with chance ``alpha``.

        Events are taken to be independent; what autocorrelation adds is calibrated elsewhere.
        """


def sampling_noise(reference: Counts, current: Counts) -> float:
    """``1/N + 1/n``: the factor by which chance alone moves a squared distance."""
    return 1.0 / max(int(reference.sum()), 1) + 1.0 / max(int(current.sum()), 1)


def shares(reference: Counts, current: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts as shares of their sum."""
    return reference / max(int(reference.sum()), 1), current / max(int(current.sum()), 1)


def degrees_of_freedom(reference: Counts, current: Counts) -> int:
    """Bins that hold anything, less one."""
    return max(int(np.count_nonzero(reference + current)) - 1, 1)
