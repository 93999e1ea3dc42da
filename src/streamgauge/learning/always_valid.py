"""Whether a challenger's losses are lower than the champion's, looked at all the time."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.learning.carried import carried
from streamgauge.learning.mixture import Mixture

#: Values are in [-1, 1]: a bet below 1 cannot be ruined. Good for advantages of 0.001 to 0.5 for
#: each unit of squares.
EVENTS = Mixture([2.0**-i for i in range(1, 11)], lambda rate: -math.log1p(-rate) - rate)
#: Means of rounds are small, and their size is not known: optimal for means of 0.004 to 0.5.
ROUNDS = Mixture([2.0**i for i in range(1, 9)], lambda rate: rate * rate / 2)
#: Beyond this logarithm an e-value is shown as that large: a float ends at 709.
LARGEST = 700.0


class AlwaysValidTest:
    """A sequential test of paired differences, valid at every time, however often it is looked at.

    A difference is the champion's loss minus the challenger's on the same event, in [-1, 1]:
    positive where the challenger is better. ``e_value`` is the smaller of two:

    * *events*: an e-process against "up to now the average of the expected differences is not
      positive". Nothing is assumed about how events depend on each other, about distributions, or
      about which of the two is better when (Choe and Ramdas, 2023). With
      psi(r) = -log(1 - r) - r and x >= -1, exp(r x - psi(r) x²) <= 1 + r x (Fan et al., 2015), so
      a mixture of exp(r Σd - psi(r) Σd²) over fixed r is one. (Centring at 0 instead of a
      running mean keeps the sharp range [-1, 1] and makes it independent of the order.)
    * *rounds*: an e-process against "given the past, a round's mean is as likely to be x as -x, or
      leans to the losing side": exp(r x - r² x² / 2) is one for symmetric x of any size and
      spread (de la Peña, 1999; Bercu and Touati, 2008).

    Why two: the first is true, and of no use, where a challenger is better *today*. Its average is
    positive until tomorrow. The same holds for a night's labels that come positives first,
    and for advantages that come and go. In a round (a day, say) all of this is averaged, and only
    rounds that keep being won are evidence.

    A challenger is called better with probability at most ``alpha``, over all times together, when
    *either* statement is true. What is not covered: advantages that last for several rounds and
    then go (take rounds longer than that), and both statements being false while the future is
    worse than the past. The round in progress counts for events, not for rounds, so
    without ``end_round`` nothing is ever decided.

    ``bounds`` are of the average expected difference up to now (events; no assumption).

    Examples
    --------
    >>> test = AlwaysValidTest()
    >>> for day in range(14):
    ...     test.update_many(np.array([1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0] * 20))
    ...     test.end_round()
    >>> test.decided(0.05), test.n, test.rounds
    (True, 2800, 14)
    >>> [round(bound, 3) for bound in test.bounds(0.05)]
    [0.161, 0.239]

    References
    ----------
    Choe, Y. J. and Ramdas, A. (2023). Comparing sequential forecasters. Operations Research 72(4),
    1368-1387.
    Waudby-Smith, I. and Ramdas, A. (2023). Estimating means of bounded random variables by betting.
    Journal of the Royal Statistical Society B 86(1), 1-27.
    Fan, X., Grama, I. and Liu, Q. (2015). Exponential inequalities for martingales with
    applications. Electronic Journal of Probability 20(1), 1-22.
    de la Peña, V. H. (1999). A general class of exponential inequalities for martingales and
    ratios. Annals of Probability 27(1), 537-564.
    Bercu, B. and Touati, A. (2008). Exponential inequalities for self-normalized martingales with
    applications. Annals of Applied Probability 18(5), 1848-1869.
    """

    __slots__ = (
        "n",
        "round_n",
        "round_squares",
        "round_total",
        "rounds",
        "rounds_total",
        "squares",
        "total",
    )

    def __init__(self) -> None:
        self.n, self.total, self.squares = 0, 0.0, 0.0
        self.round_n, self.round_total = 0, 0.0
        self.rounds, self.rounds_total, self.round_squares = 0, 0.0, 0.0

    def update(self, difference: float) -> None:
        """Take one difference. Raises ``ValueError`` outside of [-1, 1], and for NaN."""
        if not -1.0 <= difference <= 1.0:
            raise _outside(difference)
        self.n += 1
        self.total += difference
        self.squares += difference * difference
        self.round_n += 1
        self.round_total += difference

    def update_many(self, differences: NDArray[np.float64]) -> None:
        """Take differences, shape (n,), in order: the same bytes as one by one."""
        within = np.abs(differences) <= 1.0
        if not within.all():
            raise _outside(float(differences[~within][0]))
        self.n += len(differences)
        self.total = carried(self.total, differences)
        self.squares = carried(self.squares, differences * differences)
        self.round_n += len(differences)
        self.round_total = carried(self.round_total, differences)

    def end_round(self) -> None:
        """End the round; one without differences is none."""
        if not self.round_n:
            return
        mean = self.round_total / self.round_n
        self.rounds += 1
        self.rounds_total += mean
        self.round_squares += mean * mean
        self.round_n, self.round_total = 0, 0.0

    @property
    def mean(self) -> float:
        """The average difference; 0.0 before the first."""
        return self.total / self.n if self.n else 0.0

    def log_e_value(self, sign: int = 1) -> float:
        """The logarithm of the evidence: that the challenger is better, with -1 that it is worse.

        The other direction has its own statements, mirrored.
        """
        return min(
            EVENTS.log_evidence(sign * self.total, self.squares),
            ROUNDS.log_evidence(sign * self.rounds_total, self.round_squares),
        )

    @property
    def e_value(self) -> float:
        """Evidence that the challenger is better: 1 is none, 20 is enough for alpha = 0.05."""
        return math.exp(min(self.log_e_value(), LARGEST))

    @property
    def e_value_worse(self) -> float:
        """Evidence that the challenger is worse."""
        return math.exp(min(self.log_e_value(-1), LARGEST))

    def decided(self, alpha: float) -> bool:
        """Whether the challenger is better, at a level in (0, 1) for all looks together."""
        return self._beyond(alpha, 1)

    def worse(self, alpha: float) -> bool:
        """Whether the challenger is worse, at a level of its own."""
        return self._beyond(alpha, -1)

    def _beyond(self, alpha: float, sign: int) -> bool:
        wanted = _log_threshold(alpha)
        total = sign * self.total
        # No rate can reach more than total² / (2 squares): most looks end here, in 0.3 µs.
        if total <= 0.0 or total * total < 2.0 * wanted * self.squares:
            return False
        return self.log_e_value(sign) >= wanted

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Lower and upper bound of the average expected difference, at all times together.

        Each holds with probability 1 - ``alpha``, both with 1 - 2 ``alpha``. About 0.3 ms.
        """
        wanted = _log_threshold(alpha)
        if not self.n:
            return -1.0, 1.0
        reach = EVENTS.reach(self.squares, wanted)
        return max(-1.0, (self.total - reach) / self.n), min(1.0, (self.total + reach) / self.n)

    def state(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        """Take up what ``state`` gave. Raises ``ValueError`` for anything else."""
        if len(state) != len(cls.__slots__) or not all(math.isfinite(value) for value in state):
            raise ValueError("not the state of an AlwaysValidTest: eight finite numbers are wanted")
        made = cls()
        for name, value in zip(cls.__slots__, state, strict=True):
            setattr(made, name, value)
        return made


def _log_threshold(alpha: float) -> float:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is a probability between 0 and 1, not {alpha!r}")
    return -math.log(alpha)


def _outside(difference: float) -> ValueError:
    return ValueError(
        f"a difference of losses is in [-1, 1], not {difference!r}: divide by the declared bound"
    )
