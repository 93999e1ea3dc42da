"""How much a ratio differs from window to window when nothing is wrong."""

from __future__ import annotations

from typing import Any, Self

from scipy.special import gammainccinv

#: Windows from which a spread is told.
ENOUGH_WINDOWS = 10


class RatioSpread:
    """Mean and variance of a share over ordinary windows, and the tail that they imply.

    Events of one window are alike (hours, moods, bursts), so a share spreads far more than
    independent events would let it. A gamma distribution with the same moments tells how far.

    Examples
    --------
    >>> spread = RatioSpread()
    >>> for share in [0.04, 0.06] * 10:
    ...     spread.add(share)
    >>> round(spread.threshold(alpha=1e-6), 2)
    0.13
    """

    __slots__ = ("_mean", "_n", "_squares")

    def __init__(self) -> None:
        self._n, self._mean, self._squares = 0, 0.0, 0.0

    @property
    def windows(self) -> int:
        return self._n

    def add(self, share: float) -> None:
        """Take an ordinary window's share (Welford 1962)."""
        self._n += 1
        gap = share - self._mean
        self._mean += gap / self._n
        self._squares += gap * (share - self._mean)

    def threshold(self, *, alpha: float) -> float:
        """Share that an ordinary window exceeds with chance ``alpha``; 0 while nothing is known."""
        if self._n < ENOUGH_WINDOWS or self._mean <= 0 or self._squares <= 0:
            return 0.0
        # Few windows tell the tail badly: as if they had spread wider.
        variance = self._squares / (self._n - 1) * (1 + 10 / self._n)
        shape, scale = self._mean**2 / variance, variance / self._mean
        return min(scale * float(gammainccinv(shape, alpha)), 1.0)

    def state(self) -> list[Any]:
        return [self._n, self._mean, self._squares]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._n, made._mean, made._squares = state
        return made
