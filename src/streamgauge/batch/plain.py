"""The usual chunk: predictions in the form that clients write, decoded without a look at each.

What holds for nearly every record is asked of many at once, and only where one is anything else
are they taken one by one (``decode``). So nothing is decided here but that all is as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, methodcaller
from typing import NamedTuple

import msgspec
import numpy as np

from streamgauge.batch.limits import MAX_EVENT_BYTES, MAX_LEAD_SECONDS
from streamgauge.batch.structs import Prediction
from streamgauge.processing import LogRecord
from streamgauge_client.codec import CONTENT_TYPE, SPEC_VERSION, type_name
from streamgauge_client.events import PredictionEvent
from streamgauge_client.events.base import MAX_DEPTH
from streamgauge_client.events.timestamp import FIRST_MILLISECONDS
from streamgauge_client.topics import PREDICTIONS

#: Records that are asked together: one that is unusual sends so many the long way.
BLOCK = 256
_TYPE = ("ce_type", type_name(PredictionEvent).encode())
#: The names of our client's other headers, in its order.
_NAMES = ("ce_id", "ce_sequence", "ce_source", "ce_time", "ce_subject")

_decode = msgspec.json.Decoder(Prediction).decode
_braces, _brackets = methodcaller("count", b"{"), methodcaller("count", b"[")
_timestamp = attrgetter("timestamp")


class Plain(NamedTuple):
    """Predictions of as many records, their times in seconds, and the numbers of their producers.

    ``sequences`` is empty where records have no headers.
    """

    events: list[Prediction]
    timestamps: list[float]
    sequences: list[bytes]


def plain_predictions(records: Sequence[LogRecord]) -> Plain | None:
    """Decode records that are plain predictions, all of them; None where one is anything else.

    Plain is a prediction with a time of its own in seconds, in ASCII, without headers or with those
    of our client, of a size and a depth that is taken.
    """
    topics, _, _, stamps, _, headers, values = zip(*records, strict=True)
    topic = topics[0]
    if topics.count(topic) != len(topics) or topic.rpartition(".")[2] != PREDICTIONS.name:
        return None
    if None in values or None in stamps:
        return None
    sequences = _sequences(headers)
    if sequences is None or not _is_small(values):
        return None
    try:
        events = list(map(_decode, values))
    # Whatever it is, the long way says it.
    except Exception:
        return None
    timestamps = list(map(_timestamp, events))
    if set(map(type, timestamps)) != {float}:
        return None
    times = np.array(timestamps)
    usual = (times >= 0.0) & (times <= np.array(stamps) + MAX_LEAD_SECONDS)
    if not (usual & (times < FIRST_MILLISECONDS)).all():
        return None
    return Plain(events, timestamps, sequences)


def _is_small(values: Sequence[bytes]) -> bool:
    whole = b"".join(values)
    if not whole.isascii() or max(map(len, values)) > MAX_EVENT_BYTES:
        return False
    opened: int = max(map(_braces, values))
    if b"[" in whole:
        opened += max(map(_brackets, values))
    return opened <= MAX_DEPTH


def _sequences(headers: Sequence[tuple[tuple[str, bytes], ...]]) -> list[bytes] | None:
    """The numbers of records that all have our client's headers; None where one has others."""
    if not any(headers):
        return []
    found = [
        each[3][1]
        for each in headers
        if len(each) == 8
        and each[0] == SPEC_VERSION
        and each[2] == _TYPE
        and each[7] == CONTENT_TYPE
        and (each[1][0], each[3][0], each[4][0], each[5][0], each[6][0]) == _NAMES
    ]
    return found if len(found) == len(headers) else None
