"""A snapshot of a partition number as records of a compacted topic, and back again.

The whole of it is one sealed string of bytes, cut into parts. A part's key is
``<group>/<partition>/<slot>/<part>``; the manifest's, which is written last and knows every part's
checksum, is ``<group>/<partition>/<slot>``. Two slots are used in turn, so that the newest
complete snapshot is never half overwritten.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from streamgauge.processing import StateError
from streamgauge.state.base import Stored
from streamgauge.state.packing import pack, unpack
from streamgauge.state.positions import Positions

logger = logging.getLogger(__name__)

#: Of the manifest and what it holds together. What is newer is not read.
SCHEMA = 1
SLOTS = 2
#: The topic takes records of 1 MiB, their keys and heads included.
PART_BYTES = 768 * 1024


class Entry(NamedTuple):
    """A record of the topic."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a durable checkpoint held. ``number`` counts a partition's snapshots."""

    number: int
    #: By the wall clock, for people.
    taken_at: float
    stored: Stored

    @property
    def size(self) -> int:
        """Bytes of state."""
        return sum(map(len, (*self.stored.blobs.values(), *self.stored.outbox.values())))

    @property
    def progress(self) -> int:
        """Records that were taken, over all topics: of one log, more is newer."""
        return sum(Positions.parse(self.stored.position).offsets.values())


def prefix(group: str, partition: int) -> bytes:
    """What the keys of all records of a partition number begin with."""
    return f"{group}/{partition}/".encode()


def written_down(snapshot: Snapshot, group: str, partition: int, *, key: bytes) -> list[Entry]:
    """The records of a snapshot, its manifest last."""
    stored = snapshot.stored
    content = [stored.position, stored.meta, dict(stored.blobs), dict(stored.outbox)]
    body = pack(content, key=key)
    parts = [body[at : at + PART_BYTES] for at in range(0, len(body), PART_BYTES)]
    name = _name(group, partition, snapshot.number % SLOTS)
    sums = [zlib.crc32(part) for part in parts]
    manifest = pack([SCHEMA, snapshot.number, snapshot.taken_at, sums], key=key)
    return [
        *(Entry(_part(name, number), part) for number, part in enumerate(parts)),
        Entry(name, manifest),
    ]


def read_back(
    records: Mapping[bytes, bytes], group: str, partition: int, *, key: bytes
) -> list[Snapshot]:
    """The complete snapshots among records, the one that is furthest in the log first.

    Not the last one written: a worker that was long away may have written an old one late.
    """
    found: list[tuple[int, int, Snapshot]] = []
    for slot in range(SLOTS):
        name = _name(group, partition, slot)
        if name not in records:
            continue
        try:
            made = _assembled(name, records, key)
            found.append((made.progress, made.number, made))
        except (StateError, ValueError, TypeError) as why:
            logger.warning(
                "partition %d: the snapshot in slot %d can't be used: %s", partition, slot, why
            )
    return [made for _, _, made in sorted(found, key=itemgetter(0, 1), reverse=True)]


def _assembled(name: bytes, records: Mapping[bytes, bytes], key: bytes) -> Snapshot:
    schema, *rest = unpack(records[name], key=key)
    if schema != SCHEMA:
        raise StateError(f"it is of schema {schema}; this version reads {SCHEMA}")
    number, taken_at, sums = rest
    parts = [records.get(_part(name, place)) for place in range(len(sums))]
    for place, (part, expected) in enumerate(zip(parts, sums, strict=True)):
        if part is None or zlib.crc32(part) != expected:
            what = "missing" if part is None else "of another snapshot, or damaged"
            raise StateError(f"part {place + 1} of {len(sums)} is {what}")
    position, meta, blobs, outbox = unpack(b"".join(p for p in parts if p is not None), key=key)
    stored = Stored(position, meta, blobs, outbox)
    return Snapshot(number=number, taken_at=taken_at, stored=stored)


def _name(group: str, partition: int, slot: int) -> bytes:
    return prefix(group, partition) + b"%d" % slot


def _part(name: bytes, number: int) -> bytes:
    return b"%s/%d" % (name, number)
