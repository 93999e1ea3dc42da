"""The usual chunk: predictions in the form that clients write, decoded without a look at each.

What holds for nearly every record is asked of many at once, and only where one is anything else
are they taken one by one (``decode``). So nothing is decided here but that all is as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import NamedTuple, cast

import numpy as np

from streamgauge.batch.limits import MAX_EVENT_BYTES, MAX_LEAD_SECONDS
from streamgauge.batch.record_columns import Headers, RecordColumns
from streamgauge.batch.shapes import Shapes
from streamgauge.batch.structs import Prediction
from streamgauge_client.codec import CONTENT_TYPE, type_name
from streamgauge_client.events import PredictionEvent
from streamgauge_client.events.base import MAX_DEPTH
from streamgauge_client.events.timestamp import FIRST_MILLISECONDS
from streamgauge_client.topics import PREDICTIONS

#: Records that are asked together: one that is unusual sends so many the long way.
BLOCK = 256
#: Names of headers that a usual record has at most, and letters in all of them.
_MOST_NAMES, _MOST_LETTERS = 50, 2_000
_TYPE = ("ce_type", type_name(PredictionEvent).encode())

_braces, _brackets = methodcaller("count", b"{"), methodcaller("count", b"[")
_timestamp = attrgetter("timestamp")


class Plain(NamedTuple):
    """Predictions of as many records, their times in seconds, and the numbers of their producers.

    ``sequences`` is empty where records have none.
    """

    events: list[Prediction]
    timestamps: list[float]
    sequences: list[bytes]


def plain_predictions(records: RecordColumns, shapes: Shapes) -> Plain | None:
    """Decode records that are plain predictions, all of them; None where one is anything else.

    Plain is a prediction with a time of its own in seconds, without headers or with those of
    CloudEvents' binary mode, of a size and a depth that is taken.
    """
    topics = records.topics
    topic = topics[0]
    if topics.count(topic) != len(topics) or topic.rpartition(".")[2] != PREDICTIONS.name:
        return None
    if None in records.values or None in records.stamps:
        return None
    values = cast(tuple[bytes, ...], records.values)
    sequences = _sequences(records.headers)
    if sequences is None or not _is_small(values):
        return None
    try:
        events = shapes.decode(records.keys, values)
    # Whatever it is, the long way says it.
    except Exception:
        return None
    timestamps = list(map(_timestamp, events))
    if set(map(type, timestamps)) != {float}:
        return None
    times = np.array(timestamps)
    usual = (times >= 0.0) & (times <= records.times + MAX_LEAD_SECONDS)
    if not (usual & (times < FIRST_MILLISECONDS)).all():
        return None
    return Plain(events, timestamps, sequences)


def _is_small(values: Sequence[bytes]) -> bool:
    if max(map(len, values)) > MAX_EVENT_BYTES:
        return False
    whole = b"".join(values)
    if not whole.isascii() and not _is_text(whole):
        return False
    opened: int = max(map(_braces, values))
    if b"[" in whole:
        opened += max(map(_brackets, values))
    return opened <= MAX_DEPTH


def _is_text(whole: bytes) -> bool:
    # Half a character at the end of a record does not hide: no record that can be read begins with
    # the other half.
    try:
        whole.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sequences(headers: Sequence[Headers]) -> list[bytes] | None:
    """Numbers of records whose headers all have the same names; None where one has others."""
    if not any(headers):
        return []
    if len(set(map(len, headers))) != 1 or not headers[0]:
        return None
    n, names = len(headers), tuple(name for name, _ in headers[0])
    # They are kept below, and must not be anything of any size.
    if len(names) > _MOST_NAMES or sum(map(len, names)) > _MOST_LETTERS:
        return None
    columns = list(zip(*headers, strict=True))
    for name, column in zip(names, columns, strict=True):
        # Most are the same in every record, or another in each.
        alike = column[0] == column[-1] and column.count(column[0]) == n
        if not alike and [each for each, _ in column].count(name) != n:
            return None
    places = _places(names)
    if places is None:
        return None
    of_type, of_sequence = places
    if columns[of_type].count(_TYPE) != n or columns[-1].count(CONTENT_TYPE) != n:
        return None
    return [] if of_sequence is None else [value for _, value in columns[of_sequence]]


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> tuple[int, int | None] | None:
    """Where the type and the number stand in headers of binary mode, the content type last."""
    usual = names[-1] == "content-type" and "ce_type" in names and len({*names}) == len(names)
    # An event that stands for several is taken by itself.
    if not usual or "ce_sampledrate" in names:
        return None
    return names.index("ce_type"), names.index("ce_sequence") if "ce_sequence" in names else None
