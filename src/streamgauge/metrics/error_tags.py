"""Which tagged kinds of events the errors are among."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.metrics.base import Metric
from streamgauge.metrics.sums import carried, compact, row_weights, same_rows

Floats = NDArray[np.float64]

#: Tags that are counted one by one, and the longest that is kept.
MOST_TAGS = 1_000
TAG_LENGTH = 128
#: A tag of fewer events is not ranked.
FEWEST = 30.0


class TagError(NamedTuple):
    """One tag's part in the errors.

    ``impact`` is ``share`` × ``gap``: by how much the error ratio of everything would fall if the
    events with this tag were as good as the baseline. A negative one is where the model is better.
    """

    tag: str
    n: float
    errors: float
    #: Of all events, those that have the tag.
    share: float
    error_ratio: float
    #: ``error_ratio`` minus the baseline.
    gap: float
    impact: float


class ErrorTags(Metric, name="error_tags"):
    """Weights of all events and of the wrong ones, per tag; an event may have several tags.

    The first thousand tags in log order are counted one by one. While there are no more, counts
    are exact and add up in any order. Beyond, a merge keeps the most frequent: a count is then the
    least that it can be. ``overflow`` is the weight of tags that are not counted by themselves.

    Parameters
    ----------
    most
        Tags that are counted one by one.

    Examples
    --------
    >>> import numpy as np
    >>> t = ErrorTags()
    >>> t.update([["night"], ["night", "rain"], [], []], np.array([True, True, False, False]))
    >>> [(each.tag, each.gap, each.impact) for each in t.ranked(fewest=1)]
    [('night', 0.5, 0.25), ('rain', 0.5, 0.125)]
    """

    __slots__ = ("_counts", "errors", "most", "n", "overflow")

    def __init__(self, *, most: int = MOST_TAGS) -> None:
        self.most = most
        #: Weight of all events, tagged or not, and of the wrong ones.
        self.n = self.errors = 0.0
        #: Weight of the tags that are not counted one by one.
        self.overflow = 0.0
        self._counts: dict[str, list[float]] = {}

    def update(
        self,
        tags: Sequence[Sequence[str]],
        wrong: NDArray[np.bool_],
        weights: Floats | None = None,
    ) -> None:
        """Take each event's tags in log order, whether it was wrong, and its weight, (n,) each.

        Events without tags belong here too: they are part of the shares and of the baseline.
        Raises ``ValueError`` for columns that differ in length, and weights that are negative or
        not finite.
        """
        if len(tags) != len(wrong):
            raise ValueError(f"{len(tags)} events with tags, {len(wrong)} judged: give one per row")
        weight = row_weights(weights, same_rows(wrong=wrong))
        wrongly = np.where(wrong, weight, 0.0)
        self.n = carried(self.n, weight)
        self.errors = carried(self.errors, wrongly)
        counts = self._counts
        if not any(tags):
            return
        for each, one, bad in zip(tags, weight.tolist(), wrongly.tolist(), strict=True):
            if not one:
                continue
            # Once an event, in their own order: a set's would differ from run to run.
            for tag in dict.fromkeys(word[:TAG_LENGTH] for word in each):
                found = counts.get(tag)
                if found is not None:
                    found[0] += one
                    found[1] += bad
                elif len(counts) < self.most:
                    counts[tag] = [one, bad]
                else:
                    self.overflow += one

    def tags(self) -> list[str]:
        """The tags that are counted one by one, sorted."""
        return sorted(self._counts)

    def merge(self, other: Self) -> None:
        if other.most != self.most:
            raise ValueError("tags of different limits do not add up")
        self.n += other.n
        self.errors += other.errors
        self.overflow += other.overflow
        counts = self._counts
        for tag, (n, errors) in other._counts.items():
            mine = counts.setdefault(tag, [0.0, 0.0])
            mine[0] += n
            mine[1] += errors
        if len(counts) > self.most:
            for tag in sorted(counts, key=lambda tag: (-counts[tag][0], tag))[self.most :]:
                self.overflow += counts.pop(tag)[0]

    def ranked(
        self, *, baseline: float | None = None, fewest: float = FEWEST, k: int | None = None
    ) -> list[TagError]:
        """Return the tags by falling ``impact``, equal ones by name; the first ``k`` of them.

        ``baseline`` is the error ratio to compare with (0..1), without one that of all events.
        ``fewest`` is the weight below which a tag is left out.
        """
        if not self.n:
            return []
        base = self.errors / self.n if baseline is None else baseline
        if not 0.0 <= base <= 1.0:
            raise ValueError(f"a baseline error ratio of {base!r}: it is between 0 and 1")
        found = []
        for tag, (n, errors) in self._counts.items():
            if n >= fewest:
                share, ratio = n / self.n, errors / n
                found.append(
                    TagError(tag, n, errors, share, ratio, ratio - base, share * (ratio - base))
                )
        return sorted(found, key=lambda each: (-each.impact, each.tag))[:k]

    def state(self) -> list[Any]:
        tags = self.tags()
        counts = [np.array([self._counts[tag][side] for tag in tags]) for side in (0, 1)]
        return [self.most, self.n, self.errors, self.overflow, tags, *map(compact, counts)]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls(most=state[0])
        _, made.n, made.errors, made.overflow, tags, n, errors = state
        pairs = zip(n.astype(np.float64).tolist(), errors.astype(np.float64).tolist(), strict=True)
        made._counts = {tag: list(pair) for tag, pair in zip(tags, pairs, strict=True)}
        return made

    def get(self) -> dict[str, float]:
        if not self.n:
            return {}
        return {"n": self.n, "error_ratio": self.errors / self.n, "tags": float(len(self._counts))}
