"""A bound on how much of what is learned one source of labels may teach."""

from __future__ import annotations

from typing import Any

#: Examples in a window. A source may teach its share of them, then waits for the next.
WINDOW = 1000


class Quota:
    """Counts what each source taught within a window of examples.

    Windows are counted in examples offered, not in time, so that a burst is bounded like a trickle.
    With a share below 1, a model with a single source of labels learns only that share.

    Parameters
    ----------
    share
        Largest part of a window that one source may teach, above 0 and up to 1.
    window
        Examples in a window.
    """

    def __init__(self, share: float, *, window: int = WINDOW) -> None:
        self._window = window
        self._most = max(1, int(share * window))
        self._offered = 0
        #: At most a window's length of them.
        self._taught: dict[str, int] = {}

    def admits(self, source: str) -> bool:
        """Count one example that is offered; whether its source may still teach it."""
        if self._most >= self._window:
            return True
        if self._offered == self._window:
            self._offered = 0
            self._taught.clear()
        self._offered += 1
        taught = self._taught.get(source, 0)
        if taught >= self._most:
            return False
        self._taught[source] = taught + 1
        return True

    def state(self) -> list[Any]:
        return [self._offered, dict(self._taught)]

    def restore(self, state: list[Any]) -> None:
        self._offered, self._taught = state[0], dict(state[1])
