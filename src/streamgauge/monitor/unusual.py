"""Which events of a step are unusual: the anomaly score beside the references that feed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.monitor.anomaly import (
    CALIBRATION,
    LEARNING,
    MOST_FEATURES,
    SCREENING,
    Anomaly,
    rank_column,
    rank_table,
)
from streamgauge.monitor.contents import Placed
from streamgauge.monitor.target import Target

#: Its counts are kept beside those of rules. No rule of a spec can be called so.
UNUSUAL_RULE = "@unusual"
#: With fewer features nothing can fail to go together.
FEWEST_FEATURES = 2
_EVENTS = SCREENING + LEARNING + CALIBRATION

Flags = NDArray[np.bool_]


class Unusual:
    """Learns which features go together once they have references, and judges from then on.

    It looks at every k-th event, so that what it learns from spans as much time as the references
    did: a few thousand events in a row may know one second only. Other references, other ranks: it
    begins anew.
    """

    def __init__(self) -> None:
        self._anomaly: Anomaly | None = None
        #: When the references were learned that the ranks are of.
        self._learned: list[float | None] = []
        self._every = 1
        self._seen = 0
        #: By feature: its ranks by bin, and the same as the score wants them.
        self._tables: dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]] = {}

    def prepare(self, targets: Mapping[str, Target]) -> None:
        """Begin, or begin anew, where references ask for it: before a batch is placed.

        A reference is learned between batches, but a feature may get its bins within one.
        """
        if self._anomaly is None or not self._holds(self._anomaly, targets):
            self._begin(targets)

    def observe(
        self, targets: Mapping[str, Target], placed: Mapping[str, Placed], n: int
    ) -> dict[str, tuple[Flags, Flags]]:
        """Take n events; return who is unusual and who was judged, under ``UNUSUAL_RULE``.

        ``targets`` are the step's features, ``placed`` their columns, in log order.
        """
        anomaly = self._anomaly
        if anomaly is None:
            return {}
        ranks = self._ranks(anomaly, targets, placed)
        rows = np.arange(n)
        judged = np.zeros(n, dtype=np.bool_)
        unusual = np.zeros(n, dtype=np.bool_)
        first = 0
        if not anomaly.ready:
            chosen = rows[(self._seen + rows) % self._every == 0]
            taken = anomaly.learn(ranks[chosen])
            first = int(chosen[taken - 1]) + 1 if taken else 0
            first = first if anomaly.ready else n
        self._seen += n
        if first < n:
            judged[first:] = True
            unusual[first:] = anomaly.unusual(ranks[first:])
        return {UNUSUAL_RULE: (unusual, judged)}

    def _begin(self, targets: Mapping[str, Target]) -> None:
        self._anomaly = None
        known = {name: t for name, t in targets.items() if t.reference is not None}
        waiting = any(t.reference is None and t.learning is not None for t in targets.values())
        # Features that come a little later than the others are worth waiting for.
        if len(known) < FEWEST_FEATURES or waiting:
            return
        self._anomaly = Anomaly(list(known))
        self._learned = [known[name].learned_at for name in self._anomaly.names]
        events = max(t.reference.n for t in known.values() if t.reference is not None)
        self._every, self._seen = max(events // _EVENTS, 1), 0

    def _holds(self, anomaly: Anomaly, targets: Mapping[str, Target]) -> bool:
        """Whether all references are still those that the ranks are of."""
        known = [targets.get(name) for name in anomaly.names]
        if any(target is None or target.reference is None for target in known):
            return False
        return [t.learned_at for t in known if t is not None] == self._learned

    def _ranks(
        self, anomaly: Anomaly, targets: Mapping[str, Target], placed: Mapping[str, Placed]
    ) -> NDArray[np.int32]:
        columns = []
        for name in anomaly.names[:MOST_FEATURES]:
            ranks = targets[name].ranks
            assert ranks is not None
            known = self._tables.get(name)
            if known is None or known[0] is not ranks:
                known = self._tables[name] = (ranks, rank_table(ranks))
            columns.append(rank_column(placed[name].place, known[1]))
        return np.array(columns).T

    def state(self) -> list[Any]:
        anomaly = self._anomaly
        names = list(anomaly.names) if anomaly is not None else []
        inside = anomaly.state() if anomaly is not None else None
        return [names, inside, self._learned, self._every, self._seen]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        names, inside, made._learned, made._every, made._seen = state
        made._anomaly = Anomaly.from_state(names, inside) if inside is not None else None
        return made
