"""What a partition worker needs of the log; Faust's consumer implements it, tests too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from streamgauge.processing import LogRecord


class Bounds(NamedTuple):
    """First offset that is still there, and the end: the offset of the next record to come."""

    start: int
    end: int


class LogUnavailable(Exception):
    """Kafka did not answer. Trying again later is right."""


class SourceLog(Protocol):
    """The source topics of one partition number, by their full names.

    Questions raise ``LogUnavailable``.
    """

    def end(self, topic: str) -> int | None:
        """The end as the last fetch saw it, without asking; None before the first."""

    def answered(self, topic: str) -> float | None:
        """When a fetch last saw the end, by the wall clock; None before the first."""

    def partitions(self) -> int:
        """How many numbers all source topics have; 0 while that is not known."""

    async def bounds(self) -> Mapping[str, Bounds]:
        """Ask the broker for the bounds of every source topic."""

    async def record_at(self, topic: str, offset: int) -> LogRecord | None:
        """Read one record, or None where there is none at that offset."""

    async def committed(self) -> Mapping[str, int]:
        """What Kafka remembers of this group; topics without a commit are left out."""

    async def commit(self, offsets: Mapping[str, int]) -> bool:
        """Commit to Kafka. False where the coordinator no longer knows us. Never raises."""

    async def seek(self, topic: str, offset: int) -> None:
        """Continue to fetch from there."""

    def pause(self, topic: str) -> None:
        """Fetch no more of it for now."""

    def resume(self, topic: str) -> None:
        """Fetch it again."""
