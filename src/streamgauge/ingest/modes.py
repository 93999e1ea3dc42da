"""From a body to its events: which form it has is told by its content type."""

from __future__ import annotations

from streamgauge.ingest import documents
from streamgauge.ingest.http_binary import binary, is_binary
from streamgauge.ingest.obvious import event_called
from streamgauge.ingest.posted import Incoming, Posted, Refusal, Unreadable

_LINES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
_TAKEN = (
    "application/json (bare events), application/cloudevents+json, "
    "application/cloudevents-batch+json, application/x-ndjson, or ce- headers"
)


def events_of(incoming: Incoming, *, max_events: int) -> list[Posted | Refusal]:
    """The events of a body, in its order. Raises ``Unreadable`` where there are none to speak of.

    A content type is required: a page in a browser can post text or a form to any address, but
    JSON only where it is allowed to.
    """
    media_type = incoming.content_type.partition(";")[0].strip().lower()
    if media_type == "application/cloudevents-batch+json":
        elements = _some(documents.array(incoming.body, most=max_events))
        return [documents.enveloped(index, element) for index, element in enumerate(elements)]
    if media_type in ("application/cloudevents+json", "application/cloudevents"):
        return [documents.enveloped(0, incoming.body)]
    if media_type.startswith("application/cloudevents"):
        raise Unreadable("media_type", "of the formats of CloudEvents JSON alone is read")
    if is_binary(incoming.headers):
        return [binary(incoming)]
    if media_type in _LINES:
        return _bare(incoming, documents.lines(incoming.body, most=max_events))
    if media_type == "application/json" or media_type.endswith("+json"):
        return _bare(incoming, documents.one_or_array(incoming.body, most=max_events))
    what = f"{media_type[:80]!r} is not read" if media_type else "there is no content type"
    raise Unreadable("media_type", f"{what}; send {_TAKEN}")


def _bare(incoming: Incoming, found: list[bytes]) -> list[Posted | Refusal]:
    try:
        event = event_called(incoming.event) if incoming.event else None
    except ValueError as error:
        raise Unreadable("schema", str(error)) from None
    return list(documents.read(_some(found), event=event))


def _some(found: list[bytes]) -> list[bytes]:
    if not found:
        raise Unreadable("schema", "no events in the body")
    return found
