"""How large the calibration error of a perfectly calibrated model is by chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, gammaln, xlogy

Floats = NDArray[np.float64]

#: Cells of the grid on which the bins' errors are added up.
CELLS = 2048
#: Beyond so many standard deviations nothing is looked for.
FAR = 12.0
#: A bin whose number of hits varies by more than this is taken for normal.
NORMAL = 40.0
#: Less is rounding of the Fourier transform.
LEAST_ALPHA = 1e-9


def null_quantile(*, share: Floats, events: Floats, mean: Floats, alpha: float) -> float:
    """Return the smallest x with P(ECE > x) ≤ alpha, for bins (k,) whose means are the truth.

    ``share`` of all weight, ``events`` of equal weight that it is worth, ``mean`` confidence. In
    each bin the hits are binomial, so its error |accuracy − confidence| · share has a known
    distribution; that of the sum of independent ones is their convolution. So there is nothing to
    simulate, nothing random, and chances of one in a million cost no more than others: about a
    millisecond. The grid rounds by a two-thousandth of the range. Raises ``ValueError`` for an
    ``alpha`` outside 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> half = {"share": np.ones(1), "events": np.array([100.0]), "mean": np.array([0.5])}
    >>> round(null_quantile(**half, alpha=0.05), 2)
    0.1

    References
    ----------
    Bröcker, J. and Smith, L. A. (2007). Increasing the reliability of reliability diagrams. Weather
    and Forecasting 22(3), 651-661 (consistency resampling, of which this is the limit).
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha!r}, a chance between 0 and 1 is asked for")
    alpha = max(alpha, LEAST_ALPHA)
    events = np.maximum(np.rint(events), 1.0)
    spread = np.sqrt(events * mean * (1.0 - mean))
    errors = [
        None if one > NORMAL else _hits(each, middle, one)
        for each, middle, one in zip(events.tolist(), mean.tolist(), spread.tolist(), strict=True)
    ]
    unit = share / events
    range_ = _range(unit, spread, errors)
    if range_ <= 0.0:
        # Every confidence is 0 or 1: a calibrated model is always right.
        return 0.0
    step = range_ / CELLS
    whole = np.ones(CELLS + 1, dtype=np.complex128)
    for found, size, one in zip(errors, unit.tolist(), spread.tolist(), strict=True):
        if found is None:
            mass = _half_normal(size * one / step)
        else:
            mass = _laid(found[0] * size / step, found[1])
        # Twice as long as the range, so that what lies beyond does not come round again.
        whole *= np.fft.rfft(mass, 2 * CELLS)
    chances = np.maximum(np.fft.irfft(whole, 2 * CELLS), 0.0)
    # Summed from the far end, where the small ones are.
    above = np.cumsum(chances[::-1])[::-1]
    cell = int(np.argmax(np.append(above[1:], 0.0) <= alpha))
    return min(cell * step, 1.0)


def _hits(events: float, mean: float, spread: float) -> tuple[Floats, Floats]:
    """Return how far the number of hits can be from its mean, (m,), and the chance of each."""
    far = FAR * spread + FAR
    middle = events * mean
    hits = np.arange(max(math.floor(middle - far), 0.0), min(math.ceil(middle + far), events) + 1)
    misses = events - hits
    logs = gammaln(events + 1) - gammaln(hits + 1) - gammaln(misses + 1)
    chances = np.exp(logs + xlogy(hits, mean) + xlogy(misses, 1.0 - mean))
    return np.abs(hits - middle), chances / chances.sum()


def _range(unit: Floats, spread: Floats, errors: list[tuple[Floats, Floats] | None]) -> float:
    """Return what the sum exceeds hardly ever, and never needs to: at most 1."""
    middle = variance = 0.0
    for size, one, found in zip(unit.tolist(), spread.tolist(), errors, strict=True):
        if found is None:
            mean, square = one * math.sqrt(2 / math.pi), one * one
        else:
            mean, square = float(found[0] @ found[1]), float(found[0] ** 2 @ found[1])
        middle += size * mean
        variance += size * size * (square - mean * mean)
    variance = max(variance, 0.0)
    if middle <= 0.0:
        return 0.0
    return min(middle + FAR * math.sqrt(variance) + FAR * float(unit.max()), 1.0)


def _laid(places: Floats, chances: Floats) -> Floats:
    """Lay chances on the grid, each on its two neighbours so that the mean stays."""
    places = np.minimum(places, CELLS - 1.0)
    below = places.astype(np.intp)
    upper = (places - below) * chances
    mass = np.zeros(CELLS + 1)
    np.add.at(mass, below, chances - upper)
    np.add.at(mass, below + 1, upper)
    return mass


def _half_normal(spread: float) -> Floats:
    edges = (np.arange(CELLS + 1) - 0.5) / (spread * math.sqrt(2.0))
    edges[0] = 0.0
    mass: Floats = np.diff(erf(edges))
    mass[-1] += 1.0 - mass.sum()
    return mass
