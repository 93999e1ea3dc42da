"""What users do with a model's answers: rates per interaction, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self
from zlib import crc32

import numpy as np

from streamgauge.alarms.finding import Finding
from streamgauge.monitor import judge
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.ratio_spread import RatioSpread
from streamgauge.windows.judgement import Fullness, JudgementWindow, WindowRule

#: Kinds whose rise means that answers got worse. A fall of thumbs_up tells too little by itself.
HARMFUL = frozenset(
    {"redo", "switch_mode", "edit", "abandon", "override", "thumbs_down", "report", "custom"}
)
#: Interactions told apart in one pane; beyond it each event counts as one of its own.
MOST_INTERACTIONS = 20_000
#: A share must double, and rise by this much, to be worth a word.
LEAST_RISE = 0.03


class Acts:
    """Interactions of a span, and those in which users did something, by kind.

    An interaction is an ``interaction_id``, or a prediction without one. It counts once a span,
    whatever it holds. Where a client samples predictions, one that was seen stands for several;
    acts are never sampled.
    """

    __slots__ = ("acts", "interactions", "named", "open", "seen")

    def __init__(self) -> None:
        self.interactions = self.seen = 0
        self.acts: dict[str, int] = {}
        #: Digests of what was counted, by kind ("" for interactions), while the pane is open.
        self.open: dict[str, set[int]] = {}
        #: Digests of interactions that acts named.
        self.named: set[int] = set()

    @property
    def n(self) -> int:
        """Interactions that were seen; fewer than they stand for, where a client samples."""
        return self.seen

    def predicted(self, interactions: Sequence[str | None], weights: Sequence[int]) -> None:
        """Take predictions by their interaction's id, and how many each stands for."""
        if interactions.count(None) == len(interactions):
            self.interactions += sum(weights)
            self.seen += len(interactions)
            return
        known = self.open.setdefault("", set())
        for interaction, weight in zip(interactions, weights, strict=True):
            if interaction is None or self._is_new(interaction, known):
                self.interactions += weight
                self.seen += 1

    def acted(self, kind: str, subject: str, *, interaction: bool) -> None:
        """Take one act; ``subject`` is its interaction's id, else its prediction's."""
        if self._is_new(subject, self.open.setdefault(kind, set())):
            self.acts[kind] = self.acts.get(kind, 0) + 1
        if interaction and len(self.named) < MOST_INTERACTIONS:
            self.named.add(crc32(subject.encode()))

    @staticmethod
    def _is_new(subject: str, seen: set[int]) -> bool:
        digest = crc32(subject.encode())
        if digest in seen:
            return False
        if len(seen) < MOST_INTERACTIONS:
            seen.add(digest)
        return True

    def merge(self, other: Self) -> None:
        """Add a closed span."""
        self.interactions += other.interactions
        self.seen += other.seen
        for kind, n in other.acts.items():
            self.acts[kind] = self.acts.get(kind, 0) + n

    def state(self) -> list[Any]:
        opened = {kind: np.array(sorted(seen), dtype=np.int64) for kind, seen in self.open.items()}
        return [
            self.interactions,
            self.seen,
            dict(sorted(self.acts.items())),
            dict(sorted(opened.items())),
            np.array(sorted(self.named), dtype=np.int64),
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made.interactions, made.seen, acts, opened, named = state
        made.acts, made.named = dict(acts), set(named.tolist())
        made.open = {kind: set(seen.tolist()) for kind, seen in opened.items()}
        return made


class Behaviour:
    """The windows of one model's feedback, and what is usual of each kind."""

    def __init__(self) -> None:
        self.panes: dict[int, Acts] = {}
        self.window: JudgementWindow[Acts] | None = None
        self.usual: dict[str, BaselineRatio] = {}
        self.spreads: dict[str, RatioSpread] = {}
        self.last: list[Finding] = []
        self.last_acts = Acts()
        #: Acts on interactions of which no prediction is known.
        self.orphans = 0
        #: Digests of the newest interactions that predictions named.
        self._known: dict[int, None] = {}
        self._sampled = False

    def due(self, tick: int) -> bool:
        """Whether a pane is to be closed by ``tick``, the last pane that is over."""
        return any(index <= tick for index in self.panes)

    def pane(self, index: int) -> Acts:
        return self.panes.setdefault(index, Acts())

    def close(
        self, index: int, length: float, rule: WindowRule
    ) -> tuple[JudgementWindow[Acts], Fullness] | None:
        """Close a pane of ``length`` seconds; return the window that it fills, if it does."""
        acts = self.panes.pop(index)
        # Most interactions of a sampled model are known to its users only.
        self._sampled |= acts.interactions > acts.seen
        if not self._sampled:
            self._find_orphans(acts)
        acts.open, acts.named = {}, set()
        start, end = index * length, (index + 1) * length
        if self.window is None:
            self.window = JudgementWindow(Acts(), start, end)
        self.window.add(acts, start, end)
        fullness = self.window.fullness(rule)
        if fullness == "open":
            return None
        window, self.window = self.window, None
        return window, fullness

    def _find_orphans(self, acts: Acts) -> None:
        for digest in sorted(acts.open.get("", ())):
            self._known.pop(digest, None)
            self._known[digest] = None
        # Without a single named interaction nothing tells which of them there are.
        if self._known:
            self.orphans += len(acts.named - self._known.keys())
        while len(self._known) > MOST_INTERACTIONS:
            del self._known[next(iter(self._known))]

    def judge(
        self,
        window: JudgementWindow[Acts],
        fullness: Fullness,
        *,
        declared: dict[str, float],
        needed: int,
        settles_after: float,
        alpha: float,
    ) -> list[Finding]:
        """Judge each kind's share of interactions; what is not exceptional becomes usual."""
        acts = window.contents
        self.last_acts = acts
        kinds = sorted(self.usual.keys() | acts.acts.keys() | declared.keys())
        self.last = [
            self._of_kind(kind, acts, window.end, fullness, declared, needed, settles_after, alpha)
            for kind in kinds
        ]
        return self.last

    def _of_kind(
        self,
        kind: str,
        acts: Acts,
        end: float,
        fullness: Fullness,
        declared: dict[str, float],
        needed: int,
        settles_after: float,
        alpha: float,
    ) -> Finding:
        n, most = acts.seen, declared.get(kind)
        if fullness == "too_few" or not n:
            return Finding(kind, "feedback", "rate", "too_few", n=n, needed=needed)
        known = self.usual.setdefault(kind, BaselineRatio())
        spread = self.spreads.setdefault(kind, RatioSpread())
        # Acts on interactions of an earlier window may outnumber those of this one.
        count = min(acts.acts.get(kind, 0), acts.interactions)
        value = count / acts.interactions
        if most is None and (kind not in HARMFUL or not known.believed):
            found = Finding(kind, "feedback", "rate", "warming", n=n, value=value)
        else:
            usual = known.ratio
            rise = max(LEAST_RISE, usual)
            by_habit = max(known.threshold(n, least_rise=rise), spread.threshold(alpha=alpha))
            threshold = most if most is not None else by_habit
            found = judge.fault(
                kind,
                "rate",
                value,
                max(threshold, 0.5 / n),
                n=n,
                before=usual,
                most=most,
                kind="feedback",
            )
        if not found.exceeds:
            known.add(count, acts.interactions, at=end, settles_after=settles_after)
            spread.add(value)
        return found

    def state(self) -> list[Any]:
        window = self.window
        return [
            {index: self.panes[index].state() for index in sorted(self.panes)},
            [window.contents.state(), window.start, window.end] if window is not None else None,
            {kind: usual.state() for kind, usual in sorted(self.usual.items())},
            [finding.stored() for finding in self.last],
            self.last_acts.state(),
            self.orphans,
            {kind: spread.state() for kind, spread in sorted(self.spreads.items())},
            np.array(list(self._known), dtype=np.int64),
            self._sampled,
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        panes, window, usual, last, acts, made.orphans, spreads, known, made._sampled = state
        made.spreads = {kind: RatioSpread.from_state(each) for kind, each in spreads.items()}
        made._known = dict.fromkeys(known.tolist())
        made.panes = {index: Acts.from_state(each) for index, each in panes.items()}
        if window is not None:
            made.window = JudgementWindow(Acts.from_state(window[0]), window[1], window[2])
        made.usual = {kind: BaselineRatio.from_state(each) for kind, each in usual.items()}
        made.last = [Finding.from_stored(each) for each in last]
        made.last_acts = Acts.from_state(acts)
        return made
