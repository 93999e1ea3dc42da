"""From a posted event to the record that goes on the log, by the monitor's own verdict."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge.batch.decode import decode
from streamgauge.batch.decoded import AnyEvent
from streamgauge.batch.envelope import HOMES
from streamgauge.ingest.explanation import explained, nearest
from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge_client.codec import CONTENT_TYPE, SPEC_VERSION, Headers, source_uri

_TYPES = {f"streamgauge.{event}.v1": event for event in HOMES}
_SHOWABLE = re.compile(r"[a-z][a-z0-9_.-]{0,127}")
_SOURCE = source_uri("ingest").encode()
#: What is ours to say, or is said by the content type.
_OURS = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_subject", "ce_datacontenttype"})


@dataclass(frozen=True, slots=True)
class Checked:
    """An event that the monitor would take.

    ``kind`` is its name (``prediction``), ``topic`` its full topic, ``value`` its JSON.
    """

    index: int
    kind: str
    topic: str
    event: AnyEvent
    headers: Headers
    value: bytes
    derived: bool = False

    @property
    def subject_id(self) -> str:
        """What its shard follows from; "" for what is about a whole model."""
        event = self.event
        found = getattr(event, "prediction_id", None) or getattr(event, "interaction_id", None)
        # A batch lies on one shard, so any of its ids tells it.
        return found[0] if isinstance(found, list) else found or ""


def check(posted: Posted, *, prefix: str, now: float) -> Checked | Refusal:
    """Judge an event as the monitor will: the record is made first, and then decoded.

    Parameters
    ----------
    prefix
        What the topics' names begin with.
    now
        Seconds since 1970: what the broker's timestamp will be, give or take a moment.
    """
    event = _TYPES.get(posted.type)
    if event is None:
        return _unknown(posted)
    topic = f"{prefix}.{HOMES[event]}"
    passed = [(k, v) for k, v in posted.attributes.items() if k not in _OURS]
    typed = [("ce_type", posted.type.encode()), *passed, CONTENT_TYPE]
    taken = decode(LogRecord(topic, 0, 0, now, None, tuple(typed), posted.payload))
    if isinstance(taken, DeadLetter):
        return explained(posted, event, taken)
    headers: Headers = [
        SPEC_VERSION,
        ("ce_id", _id(posted.attributes, taken, posted.payload)),
        typed[0],
        ("ce_source", posted.attributes.get("ce_source") or _SOURCE),
        ("ce_subject", taken.model.encode()),
        *typed[1:],
    ]
    return Checked(posted.index, event, topic, taken, headers, posted.payload, posted.derived)


def _id(attributes: Mapping[str, bytes], event: AnyEvent, payload: bytes) -> bytes:
    given = attributes.get("ce_id")
    natural = getattr(event, "prediction_id", None) if hasattr(event, "features") else None
    if given:
        return given
    if isinstance(natural, str):
        return natural.encode()
    return hashlib.blake2b(payload, digest_size=16).hexdigest().encode()


def _unknown(posted: Posted) -> Refusal:
    shown = posted.type if _SHOWABLE.fullmatch(posted.type) else "a type of another form"
    meant = nearest(posted.type[:128], list(_TYPES))
    expected = f"one of {', '.join(_TYPES)}"
    detail = f"type: found {shown}, expected {expected}"
    if meant:
        detail += f"; did you mean {meant!r}?"
    return Refusal(posted.index, "schema", detail, "type", expected, meant)
