"""Whether a score that users compute themselves got worse than it used to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from streamgauge.alarms.finding import Finding
from streamgauge.alarms.sentence import SCORE
from streamgauge.labels.truth import Extras
from streamgauge.metrics.spread import LARGEST
from streamgauge.monitor.truth.concept import ConceptWatch, Wanted
from streamgauge.monitor.truth.performance import named_scores
from streamgauge.monitor.truth.scored import Floats

Better = Literal["higher", "lower"]

#: Scores from which it is told what is poor, and the share of them that is not.
ENOUGH = 200
USUAL = 0.9


class ScoreWatch:
    """Turns scores into errors: a poor one is worse than nine of ten were when the model was young.

    So what listens to errors listens to them: a score that gets better is nobody's alarm, and none
    needs a scale. Where the worst tenth are all alike, as of scores that are 0 or 1, poor is what
    is worse than the mean.
    """

    def __init__(self, name: str, better: Better) -> None:
        self.name, self.better = name, better
        self.concept = ConceptWatch()
        #: What is poor lies beyond; None while it is not known.
        self.limit: float | None = None
        self._first: list[float] = []
        #: Of the window that is open.
        self._poor = self._judged = 0

    @property
    def target(self) -> str:
        """What its findings are about."""
        return f"{SCORE}{self.name}"

    def feed(self, scores: Floats, times: Floats, wanted: Wanted) -> None:
        """Take scores (n,) in prediction order, and the event times (n,) of their predictions."""
        scores = np.clip(scores, -LARGEST, LARGEST)
        if self.limit is None:
            start = min(ENOUGH - len(self._first), len(scores))
            self._first += scores[:start].tolist()
            if len(self._first) < ENOUGH:
                return
            self.limit, self._first = self._told(np.array(self._first)), []
            scores, times = scores[start:], times[start:]
        limit = self.limit
        poor = (scores < limit if self.better == "higher" else scores > limit).astype(np.float64)
        self.concept.feed(poor, times, wanted)
        self._poor += int(poor.sum())
        self._judged += len(poor)

    def _told(self, first: Floats) -> float:
        higher = self.better == "higher"
        limit = float(np.quantile(first, 1 - USUAL if higher else USUAL))
        worst = first.min() if higher else first.max()
        if limit == worst:
            # Of scores that are all alike the mean may be rounded past them: all would be poor.
            return float(np.clip(first.mean(), first.min(), first.max()))
        better = first[first > limit] if higher else first[first < limit]
        if np.count_nonzero(first == limit) < 2 or 2 * len(better) < len(first):
            return limit
        # Of few grades the one at the limit is poor too, or all could sink to it unheard.
        return (limit + float(better.min() if higher else better.max())) / 2

    def judge(
        self, *, end: float, alpha: float, settles_after: float, needed: int
    ) -> list[Finding]:
        """Judge what came since the last window ended; see ``ConceptWatch``."""
        poor, judged, self._poor, self._judged = self._poor, self._judged, 0, 0
        found = self.concept.judge(
            poor, judged, end=end, alpha=alpha, settles_after=settles_after, needed=needed
        )
        side = "below" if self.better == "higher" else "above"
        return [
            replace(
                each,
                target=self.target,
                rule="poor_ratio" if each.rule == "error_ratio" else each.rule,
                change=f"{each.change} are {side} {self.limit:.3g}" if each.change else "",
            )
            for each in found
        ]

    def state(self) -> list[Any]:
        own = [self.name, self.better, self.limit, list(self._first), self._poor, self._judged]
        return [*own, self.concept.state()]

    @classmethod
    def from_state(cls, state: list[Any]) -> ScoreWatch:
        made = cls(state[0], state[1])
        made.limit, first, made._poor, made._judged, concept = state[2:]
        made._first, made.concept = list(first), ConceptWatch.from_state(concept)
        return made


class ScoreWatches:
    """Those of one (version, step): of the scores for which the spec says which way is better."""

    def __init__(self) -> None:
        self.by_name: dict[str, ScoreWatch] = {}

    def feed(
        self,
        extras: Iterable[tuple[float, Extras]],
        declared: Mapping[str, Better],
        wanted: Wanted,
    ) -> None:
        """Take what labels carry, in prediction order, each with its prediction's event time."""
        for name in self.by_name.keys() - declared.keys():
            del self.by_name[name]
        columns: dict[str, list[tuple[float, float]]] = {}
        for time, each in extras if declared else ():
            for name, score in named_scores(each):
                if name in declared:
                    columns.setdefault(name, []).append((score, time))
        for name, rows in columns.items():
            known = self.by_name.get(name)
            if known is None or known.better != declared[name]:
                known = self.by_name[name] = ScoreWatch(name, declared[name])
            scores, times = np.array(rows).T
            known.feed(scores, times, wanted)

    def judge(
        self, *, end: float, alpha: float, settles_after: float, needed: int
    ) -> list[Finding]:
        """The findings of all of them, by name."""
        found: list[Finding] = []
        for _, each in sorted(self.by_name.items()):
            found += each.judge(end=end, alpha=alpha, settles_after=settles_after, needed=needed)
        return found

    def state(self) -> list[Any]:
        return [each.state() for _, each in sorted(self.by_name.items())]

    @classmethod
    def from_state(cls, state: list[Any]) -> ScoreWatches:
        made = cls()
        made.by_name = {each[0]: ScoreWatch.from_state(each) for each in state}
        return made
