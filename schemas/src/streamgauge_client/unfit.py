"""Why an event was not taken: the reasons that are counted, and the exception that carries one."""

from __future__ import annotations

from typing import Literal

#: ``full`` the queue had no room · ``invalid`` against the contract · ``unencodable`` no JSON for
#: it · ``too_large`` above 256 KiB · ``unavailable`` no producer could be made · ``closed`` after
#: ``close`` · ``disabled`` by the environment · ``error`` anything else.
DropReason = Literal[
    "full", "invalid", "unencodable", "too_large", "unavailable", "closed", "disabled", "error"
]


class Unfit(Exception):
    """An event that can't be sent. Caught by the publisher, never seen by its caller."""

    def __init__(self, message: str, reason: DropReason = "invalid") -> None:
        super().__init__(message)
        self.reason: DropReason = reason


class QueueFull(BufferError):
    """The queue has no room. Raised by publishers made with ``on_full="raise"`` alone."""
