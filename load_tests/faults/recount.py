"""What came out, beside what should have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from load_tests.faults.difference import differences
from load_tests.faults.expected import Expected, Place, states_equal
from load_tests.faults.store import Store
from load_tests.faults.topics import read
from streamgauge.processing import LogRecord
from streamgauge_client.events import AlarmEvent


@dataclass
class Recount:
    """The difference. ``lost`` and ``doubled`` are of records, alarms and dead letters alike."""

    records: int
    alarms: int
    dead: int
    lost: int = 0
    doubled: int = 0
    alarms_equal: bool = True
    states_equal: bool = True
    #: Records in the alarms and dead-letter topics that are there again, bytes and all: allowed.
    resent: int = 0
    #: Pipeline alarms: the ids of each rule.
    pipeline: dict[str, set[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def compare(
    expected: Expected, servers: str, prefix: str, store: Store, *, lost: Mapping[int, int]
) -> Recount:
    """Recount alarms, dead letters, counts and positions.

    ``lost`` is by partition what Kafka deleted unread: so much must be told as lost, and no more.
    """
    found = Recount(expected.records, len(expected.alarms), len(expected.dead))
    _compare_counts(found, expected, store, lost)
    _compare_alarms(found, expected, list(read(servers, f"{prefix}.alarms")))
    _compare_dead(found, expected, list(read(servers, f"{prefix}.dead-letters")))
    found.states_equal = states_equal(expected, store)
    if not found.states_equal:
        _tell_differences(found, expected, store)
    return found


def _tell_differences(found: Recount, expected: Expected, store: Store) -> None:
    for number, state in expected.state.items():
        there = store.state(number)
        for name in sorted(state.keys() | there.keys()):
            if state.get(name) != there.get(name):
                where = "; ".join(differences(state.get(name), there.get(name)))
                found.remarks.append(f"state of partition {number}, {name[:12]}: {where}")


def _compare_counts(
    found: Recount, expected: Expected, store: Store, lost: Mapping[int, int]
) -> None:
    positions = store.positions()
    for number, counts in expected.counts.items():
        view = store.view(number)
        # Less what was expected is lost, more is counted twice; a record that went another way
        # (late, and not ok) is both.
        told = Counter(view.get("counts", {}))
        missing, extra = Counter(counts) - told, told - Counter(counts)
        told_lost, wanted_lost = int(view.get("lost", 0)), lost.get(number, 0)
        found.lost += missing.total() + abs(told_lost - wanted_lost)
        found.doubled += extra.total()
        if told_lost != wanted_lost:
            what = f"{told_lost} told as lost, {wanted_lost} were"
            found.remarks.append(f"partition {number}: {what}")
        if difference := _unaccounted(view):
            found.lost += abs(difference)
            found.remarks.append(f"partition {number}: {difference} records are not accounted for")
        if missing or extra:
            found.remarks.append(f"partition {number}: {dict(missing)} less, {dict(extra)} more")
        if positions[number] != expected.ends[number]:
            place = f"{positions[number]} of {expected.ends[number]}"
            found.remarks.append(f"partition {number} stands at {place}")


def _unaccounted(view: Mapping[str, Any]) -> int:
    """Positions advanced, minus what the view says became of the records."""
    positions, first = view.get("positions", {}), view.get("first_positions", {})
    advanced = sum(offset - first.get(name, offset) for name, offset in positions.items())
    told = sum(view.get("counts", {}).values()) + view.get("lost", 0) + view.get("holes", 0)
    return int(advanced - told)


def _compare_alarms(found: Recount, expected: Expected, records: list[LogRecord]) -> None:
    seen: dict[str, LogRecord] = {}
    for record in records:
        data = orjson.loads(record.value or b"{}")
        if data.get("kind") == "pipeline":
            found.pipeline.setdefault(data["rule"], set()).add(data["alarm_id"])
            continue
        _note(found, seen, data["alarm_id"], record)
    missing, extra = expected.alarms.keys() - seen.keys(), seen.keys() - expected.alarms.keys()
    changed = [
        key
        for key in seen.keys() & expected.alarms.keys()
        if AlarmEvent.model_validate_json(seen[key].value or b"").model_dump()
        != expected.alarms[key]
    ]
    found.lost += len(missing)
    found.doubled += len(extra)
    found.alarms_equal = not (missing or extra or changed)
    for what, ids in (("missing", missing), ("too many", extra), ("changed", changed)):
        if ids:
            found.remarks.append(f"alarms {what}: {sorted(ids)}")


def _compare_dead(found: Recount, expected: Expected, records: list[LogRecord]) -> None:
    seen: dict[Place, LogRecord] = {}
    for record in records:
        said = dict(record.headers)
        place = (
            said["streamgauge_topic"].decode(),
            int(said["streamgauge_partition"]),
            int(said["streamgauge_offset"]),
        )
        _note(found, seen, place, record)
    missing, extra = expected.dead - seen.keys(), seen.keys() - expected.dead
    found.lost += len(missing)
    found.doubled += len(extra)
    for what, places in (("missing", missing), ("too many", extra)):
        if places:
            found.remarks.append(f"dead letters {what}: {sorted(places)[:5]}")


def _note(found: Recount, seen: dict[Any, LogRecord], key: Any, record: LogRecord) -> None:
    """Take a record; one that came before must be the same to the byte."""
    first = seen.setdefault(key, record)
    if first is record:
        return
    if (first.key, first.headers, first.value) == (record.key, record.headers, record.value):
        found.resent += 1
    else:
        found.doubled += 1
        found.remarks.append(f"{record.topic}: {key} came twice, and not the same")
