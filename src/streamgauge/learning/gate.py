"""Whether what a champion has learned since may take the place of its snapshot that serves."""

from __future__ import annotations

import math
import pickle
from hashlib import blake2b
from typing import Any

from streamgauge.learning.quota import Quota
from streamgauge.pipelines.canonical import canonical_bytes
from streamgauge.pipelines.pipeline import Pipeline

#: Labels on which a newer snapshot is held against the one that serves.
LABELS = 100


class Gate:
    """Holds a champion's newer snapshots against the answers that its service gives.

    The champion learns on, and what it learns may be poison. So a copy of it, frozen, is put on
    trial: it answers the events that come from then on, and takes the place of the snapshot that
    serves only if it loses less than the served answers on ``LABELS`` labels of those events, by a
    standard error at least, or answers the same. Then the next one is put on trial. What serves can
    so be as old as the last good snapshot, and is never one that nobody has seen answer.

    The comparison is paired, on labels that came after the copy was made, so neither of both has
    learned from them; the standard error is that of a sum of differences without a mean. To lose no
    more would not do: a model that jumps about (a perceptron under flipped labels) then loses a
    little at each trial that chance lets it win. With the standard error, a copy as good as what
    serves passes one trial in six; one that is worse by a tenth, the two disagreeing on a fifth of
    the answers, one in a thousand; one that is better by as much, nine in ten.

    A source of labels judges no more of a trial than its quota: who may not teach may not judge.
    Where all labels are flipped, the flipped model is right; nothing here can know better.

    Parameters
    ----------
    share
        Largest part of a trial's labels that one source may judge.

    References
    ----------
    Diebold, F. X. and Mariano, R. S. (1995). Comparing predictive accuracy. Journal of Business &
    Economic Statistics 13(3), 253-263.
    """

    def __init__(self, share: float = 1.0) -> None:
        self._judges = Quota(share, window=LABELS)
        #: What may serve, in bytes, and how many examples it had learned; empty where none does.
        self.snapshot, self.learned, self.digest = b"", 0, ""
        #: The copy on trial, and which trial this is.
        self.contender: Pipeline | None = None
        self.number = 0
        self._content = b""
        self._begin_count()
        self._next_at = 0.0
        #: Why the last trial was lost; empty where it was won, or told nothing.
        self.lost = ""
        #: Whether the bytes are to be written.
        self.changed = False

    def _begin_count(self) -> None:
        #: Labels of the trial, losses of both on them, and the sum of squared differences.
        self._labels, self._served, self._newer, self._squares = 0, 0.0, 0.0, 0.0

    def restrict(self, share: float) -> None:
        """Go by another quota."""
        self._judges = Quota(share, window=LABELS)

    def serve(self, pipeline: Pipeline) -> None:
        """It became the champion as it is: that is what serves."""
        self._stand(canonical_bytes(pipeline.state()), pipeline.learned)
        self.contender, self._content, self.lost = None, b"", ""

    def _stand(self, content: bytes, learned: int) -> None:
        self.snapshot, self.learned, self.changed = content, learned, True
        self.digest = blake2b(content, digest_size=16).hexdigest()

    def begin(self, pipeline: Pipeline, at: float, every: float) -> None:
        """Put a copy on trial, if none is, and ``every`` seconds have passed since the last."""
        if self.contender is not None or at < self._next_at or pipeline.broken:
            return
        self._content, self._next_at = canonical_bytes(pipeline.state()), at + every
        # Our own bytes, of this moment.
        self.contender = Pipeline.from_state(pickle.loads(self._content))
        self.number += 1
        self._begin_count()
        self.changed = True

    def drop(self) -> None:
        """End a trial undecided, as when its pipeline starts afresh."""
        if self.contender is not None:
            self.contender, self._content, self.changed = None, b"", True

    def judge(self, source: str, served: float, newer: float, at: float) -> None:
        """Take the losses of both on one label, shares of the bound, at a log time."""
        if self.contender is None or not self._judges.admits(source):
            return
        self._labels += 1
        self._served += served
        self._newer += newer
        self._squares += (served - newer) ** 2
        if self._labels < LABELS:
            return
        gained, chance = self._served - self._newer, math.sqrt(self._squares)
        self.lost = ""
        if gained >= chance:
            self._stand(self._content, self.contender.learned)
        elif gained <= -chance:
            self.lost = (
                f"what was learned up to its {self.contender.learned:,} examples answers worse "
                f"than what serves: losses {self._newer / LABELS:.3f} and "
                f"{self._served / LABELS:.3f} on {LABELS} labels up to {at:.0f}; look at the "
                "labels that came before"
            )
        self.drop()

    def state(self) -> list[Any]:
        """All but the bytes."""
        return [
            *(self._judges.state(), self.learned, self.number, self._next_at, self.lost),
            *(self._labels, self._served, self._newer, self._squares),
        ]

    def parts(self) -> list[bytes] | None:
        """The bytes of what serves and of what is on trial; None where there is neither."""
        self.changed = False
        return [self.snapshot, self._content] if self.snapshot or self._content else None

    def restore(self, state: list[Any], parts: list[bytes] | None) -> None:
        """Become what was described. The bytes must have been authenticated."""
        judges, self.learned, self.number, self._next_at, self.lost = state[:5]
        self._labels, self._served, self._newer, self._squares = state[5:]
        self._judges.restore(judges)
        snapshot, self._content = parts or (b"", b"")
        if snapshot:
            self._stand(snapshot, self.learned)
        if self._content:
            self.contender = Pipeline.from_state(pickle.loads(self._content))
        self.changed = False
