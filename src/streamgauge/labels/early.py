"""Labels that came before their predictions, or whose predictions never come."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from streamgauge.labels.truth import Extras, Truth

#: Labels that may wait for a prediction; beyond it the oldest is given up.
MOST = 20_000


class EarlyLabels:
    """Truths by the digest of their prediction's id, in the order in which they came.

    ``orphans`` counts labels whose prediction did not come in time.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[tuple[Truth, float]]] = {}
        #: When each came, and for what. What was claimed since is passed over.
        self._queue: deque[tuple[float, int]] = deque()
        self._n = 0
        self.orphans = 0

    def __len__(self) -> int:
        return self._n

    def park(self, digest: int, truth: Truth, at: float) -> None:
        """Keep a label that came at log time ``at``."""
        while self._n >= MOST:
            self._give_up()
        self._waiting.setdefault(digest, []).append((truth, at))
        self._queue.append((at, digest))
        self._n += 1
        if len(self._queue) > 4 * MOST:
            # One that nobody claims keeps all the claimed ones behind it.
            _, waiting = self.state()
            self._queue = deque((came, int.from_bytes(each, "little")) for each, came, _ in waiting)

    def begin(self, log_time: float) -> None:
        """Let what came before the log had a time have come at its first one."""
        if self._n and self._queue[0][0] == -math.inf:
            for digest, waiting in self._waiting.items():
                self._waiting[digest] = [(truth, max(at, log_time)) for truth, at in waiting]
            self._queue = deque((max(at, log_time), digest) for at, digest in self._queue)

    def claim(self, digest: int) -> list[tuple[Truth, float]]:
        """What waited for a prediction that is there now, with the log time at which it came."""
        found = self._waiting.pop(digest, [])
        self._n -= len(found)
        return found

    @property
    def first_at(self) -> float:
        """When the oldest came; infinite where none waits."""
        self._pass_over()
        return self._queue[0][0] if self._queue else math.inf

    def expire(self, log_time: float, seconds: float) -> None:
        """Give up what has waited longer than ``seconds`` by ``log_time``."""
        while self.first_at + seconds < log_time:
            self._give_up()

    def _pass_over(self) -> None:
        """Drop the front of the queue while it was claimed."""
        while self._queue:
            at, digest = self._queue[0]
            waiting = self._waiting.get(digest)
            if waiting is not None and waiting[0][1] <= at:
                return
            self._queue.popleft()

    def _give_up(self) -> None:
        self._pass_over()
        _, digest = self._queue.popleft()
        waiting = self._waiting[digest]
        del waiting[0]
        if not waiting:
            del self._waiting[digest]
        self._n -= 1
        self.orphans += 1

    def state(self) -> list[Any]:
        left = {digest: list(each) for digest, each in self._waiting.items()}
        waiting = []
        for at, digest in self._queue:
            if left.get(digest) and left[digest][0][1] <= at:
                truth, came = left[digest].pop(0)
                waiting.append([digest.to_bytes(8, "little"), came, list(truth)])
        return [self.orphans, waiting]

    def restore(self, state: list[Any]) -> None:
        self.orphans, waiting = state
        for digest, at, truth in waiting:
            self.park(int.from_bytes(digest, "little"), _truth(truth), at)


def _truth(state: list[Any]) -> Truth:
    extras = state[-1]
    return Truth._make([*state[:-1], extras_from(extras) if extras is not None else None])


def extras_from(state: list[Any]) -> Extras:
    scores, tags, value, horizon = state
    return Extras(_pairs(scores), _pairs(tags), value, horizon)


def _pairs(state: list[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in state)
