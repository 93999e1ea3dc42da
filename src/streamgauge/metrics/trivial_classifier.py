"""What the commonest class and the last one would have scored on the same events."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.sums import carried, compact, row_weights, same_rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

#: Where there is no answer yet.
NO_CLASS = -1


class TrivialClasses(NamedTuple):
    """Answers for each row, (n,): the most frequent class and the last one seen before it."""

    majority: Codes
    last: Codes


class TrivialClassifier:
    """Says the class that was true most often, or the one that was true last.

    Each event is answered before its truth is learned (prequential), in the order that they are
    given. So it is a series and no ``Metric``: two of them do not add up. Its own figures are those
    since the last ``restart``, its answers know all that came before; where figures are to add up,
    give the answers to a ``Confusion``.

    Of equally frequent classes the one that was ahead first is said.

    Examples
    --------
    >>> import numpy as np
    >>> t = TrivialClassifier()
    >>> t.update(np.array([1, 1, 0, 0, 0])).majority.tolist()
    [-1, 1, 1, 1, 1]
    >>> t.get()
    {'n': 4.0, 'majority_error_ratio': 0.75, 'last_error_ratio': 0.25}

    References
    ----------
    Gama, J., Sebastião, R. and Rodrigues, P. P. (2013). On evaluating stream learning algorithms.
    Machine Learning 90, 317-346 (prequential evaluation).
    Bifet, A. et al. (2013). Pitfalls in benchmarking data stream classification and how to avoid
    them. ECML PKDD, 465-479 (the no-change classifier).
    """

    __slots__ = ("_counts", "_last", "_majority", "_sums")

    def __init__(self) -> None:
        self._counts: dict[int, float] = {}
        self._majority = self._last = NO_CLASS
        #: Weight, and that of the errors of both answers.
        self._sums = [0.0, 0.0, 0.0]

    def update(self, truth: Codes, weights: Floats | None = None) -> TrivialClasses:
        """Take true classes in order, 0 or above, and weights, (n,) each; return the answers.

        Rows without weight are answered, and neither learned nor counted. Raises ``ValueError`` for
        classes below 0 and weights that are negative or not finite.
        """
        weight = row_weights(weights, same_rows(truth=truth))
        if not len(truth):
            return TrivialClasses(truth.copy(), truth.copy())
        if truth.min() < 0:
            raise ValueError("a true class is below 0: leave rows of unknown truth out")
        counts, majority, last = self._counts, self._majority, self._last
        most = counts.get(majority, 0.0)
        frequent, latest = [], []
        for code, one in zip(truth.tolist(), weight.tolist(), strict=True):
            frequent.append(majority)
            latest.append(last)
            if not one:
                continue
            count = counts[code] = counts.get(code, 0.0) + one
            if code == majority or count > most:
                majority, most = code, count
            last = code
        self._majority, self._last = majority, last
        said = TrivialClasses(np.array(frequent, dtype=np.intp), np.array(latest, dtype=np.intp))
        weight = np.where(said.last == NO_CLASS, 0.0, weight)
        for place, wrong in enumerate((weight > 0, said.majority != truth, said.last != truth)):
            self._sums[place] = carried(self._sums[place], np.where(wrong, weight, 0.0))
        return said

    def restart(self) -> None:
        """Begin a new window of figures; what was learned stays."""
        self._sums = [0.0, 0.0, 0.0]

    def state(self) -> list[Any]:
        codes = sorted(self._counts)
        counts = compact(np.array([self._counts[code] for code in codes], dtype=np.float64))
        return [np.array(codes, dtype=np.int64), counts, self._majority, self._last, *self._sums]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        codes, counts, made._majority, made._last, *made._sums = state
        weights = counts.astype(np.float64).tolist()
        made._counts = dict(zip(codes.tolist(), weights, strict=True))
        return made

    def get(self) -> dict[str, float]:
        """Return the error ratio of both answers, of the events that had one before them."""
        n, majority, last = self._sums
        if not n:
            return {}
        return {"n": n, "majority_error_ratio": majority / n, "last_error_ratio": last / n}
