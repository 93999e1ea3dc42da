"""The guard: what goes wrong in publishing stays out of the caller's request."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from streamgauge_client.unfit import QueueFull

if TYPE_CHECKING:
    from streamgauge_client.sending import Sender


class Guard:
    """Keeps what goes wrong in publishing one kind of event from the caller; it is counted.

    ``QueueFull`` passes, since who gets it asked for it; so do interrupts and exits.
    """

    __slots__ = ("_name", "_sender")

    def __init__(self, sender: Sender, name: str) -> None:
        self._sender = sender
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._sender.drop(self._name, error)
        return not isinstance(error, QueueFull)
