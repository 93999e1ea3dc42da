"""What should have come out, by a single pass over the topic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from load_tests.faults.store import Store
from load_tests.faults.topics import ends, read
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge_client.events import AlarmEvent
from tests.monitor.streams import Book

#: So long after the last record all panes are closed, and silence is none yet. Not the time of the
#: look: as long as a pane is open, the monitor may close it at any moment.
CLOSED_SECONDS = 20.0

#: Topic, partition and offset of a dead letter's record.
Place = tuple[str, int, int]


@dataclass
class Expected:
    """What one undisturbed pass makes of the predictions."""

    records: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    state: dict[int, dict[str, bytes]] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    dead: set[Place] = field(default_factory=set)


def expect(
    servers: str, prefix: str, overrides: Mapping[str, Any], *, head: Iterable[LogRecord] = ()
) -> Expected:
    """One pass, partition by partition, with no worker, no store and no cut.

    ``head`` is what comes before the oldest record that is still there.
    """
    expected = Expected()
    topic = f"{prefix}.predictions"
    by_number: dict[int, list[LogRecord]] = {number: [] for number in ends(servers, topic)}
    for record in chain(head, read(servers, topic)):
        by_number[record.partition].append(record)
    for number, records in by_number.items():
        expected.records += len(records)
        expected.ends[number] = records[-1].offset + 1 if records else 0
        monitor = PartitionMonitor(number, book=Book(overrides=overrides), prefix=prefix)
        effects = monitor.process(records)
        if records:
            effects.extend(monitor.advance(_last(records) + CLOSED_SECONDS))
        expected.state[number] = dict(monitor.dirty().blobs)
        expected.counts[number] = {"/".join(key): n for key, n in effects.counts.items()}
        for event in effects.events:
            if isinstance(event, AlarmEvent):
                expected.alarms[event.alarm_id] = event.model_dump()
        expected.dead |= {(topic, number, d.record.offset) for d in effects.dead_letters}
    return expected


def _last(records: list[LogRecord]) -> float:
    return max(record.timestamp or 0.0 for record in records)


def digests(state: Mapping[str, bytes]) -> dict[str, str]:
    """A digest of every blob, by field."""
    return {name: hashlib.sha256(blob).hexdigest() for name, blob in state.items()}


def states_equal(expected: Expected, store: Store) -> bool:
    """Whether every blob of every partition is that of the single pass, byte by byte."""
    return all(
        digests(store.state(number)) == digests(state) for number, state in expected.state.items()
    )
