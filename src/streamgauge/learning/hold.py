"""Examples that wait while their inputs are under suspicion."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

#: Examples that wait at most: about 100 MB of wide ones. What comes then is not learned.
MOST_HELD = 10_000


class Example(NamedTuple):
    """Something to learn: an event's features, the truth, and who says so.

    ``source`` and ``annotator`` are the label's, empty where it names none. All of it is plain
    values.
    """

    features: Mapping[str, object]
    truth: object
    weight: float = 1.0
    source: str = ""
    annotator: str = ""


class Hold:
    """Keeps examples in order while a data-quality alarm is open.

    Parameters
    ----------
    policy
        ``wait``: what was kept is given back when the alarm closes. ``discard``: nothing is kept.
    most
        Examples that are kept at most.
    """

    def __init__(self, policy: Literal["wait", "discard"], *, most: int = MOST_HELD) -> None:
        self.policy, self.most = policy, most
        #: Whether the alarm is open.
        self.open = False
        self._waiting: deque[Example] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, example: Example) -> str:
        """Keep one while the alarm is open; return the reason why it is not learned now."""
        if self.policy == "discard":
            return "data_quality"
        if len(self._waiting) >= self.most:
            return "hold_full"
        self._waiting.append(example)
        return "held"

    def close(self) -> list[Example]:
        """The alarm is closed: what waited, in order."""
        self.open = False
        released = list(self._waiting)
        self._waiting.clear()
        return released

    def drop(self) -> int:
        """Give up what waits, as when the inputs turn out to have been wrong. Returns how many."""
        dropped = len(self._waiting)
        self._waiting.clear()
        return dropped

    def state(self) -> list[Any]:
        return [
            self.open,
            [[dict(sorted(each.features.items())), *each[1:]] for each in self._waiting],
        ]

    def restore(self, state: list[Any]) -> None:
        self.open = state[0]
        self._waiting = deque(Example(*each) for each in state[1])
