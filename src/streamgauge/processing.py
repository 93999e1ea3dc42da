"""The one interface between logic and transport. No input, no output, no clock.

A partition processor is fed records of one partition number, in merged order, and answers with
effects. What drives it (the streaming worker, a backtest, a test) delivers the effects and keeps
its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from streamgauge_client.events import Event


class LogRecord(NamedTuple):
    """One record of the log, as its bytes came.

    ``timestamp`` is the broker's, in seconds since 1970; ``None`` where the broker had none.
    """

    topic: str
    partition: int
    offset: int
    timestamp: float | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be taken, and why. A pure function of the record.

    ``reason`` is one of decode, schema, too_large, future, handler; ``error`` is for people.
    """

    record: LogRecord
    reason: str
    error: str


@dataclass(slots=True)
class Effects:
    """What a step wants done: events to publish (alarms, model events) and dead letters.

    ``counts`` says what became of the step's records, by (kind, outcome): kind is the name of the
    event, outcome is ok, dead, late or skipped. Their sum is the number of records given.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def extend(self, other: Effects) -> None:
        """Take the effects of a later step behind these."""
        self.events += other.events
        self.dead_letters += other.dead_letters
        for key, n in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + n


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since the last call: state to keep, and views for readers, both as bytes.

    ``blobs`` are keyed by field: ``_`` for the partition, else a model-id, or a part of its state,
    ``<model-id>.<part>``. Empty bytes say that the field is gone. ``views`` hold
    model-ids only (the partition's own view is the worker's, who knows the positions);
    ``gauges`` are numbers about the whole processor for that view.
    """

    blobs: Mapping[str, bytes]
    views: Mapping[str, bytes]
    gauges: Mapping[str, float] = field(default_factory=dict)


class PartitionProcessor(Protocol):
    """State and logic of one partition number. Driven by one caller, never concurrently.

    However the log is cut into calls of ``process``, the state and the events are the same.
    """

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        """Become what ``dirty`` once returned; fields without bytes are gone.

        Raises ``StateError`` for a blob it can't read.
        """

    def process(self, records: Sequence[LogRecord]) -> Effects:
        """Take records in merged order. Raises nothing for any content of a record."""

    def advance(self, log_time: float) -> Effects:
        """Let time pass to ``log_time`` (seconds since 1970) without a record.

        Called only at the end of the log, so that windows close although nobody sends.
        """

    def dirty(self) -> Changes:
        """What changed since the last call, and forget that it did.

        The caller keeps the answer until the store has it; after a refusal it drops the processor
        and restores another.
        """

    def views(self) -> Mapping[str, bytes]:
        """The views of all models, for readers who have none."""


class StateError(Exception):
    """A state blob is damaged, forged, or of a schema that this version does not know."""
