"""JSON documents in a body: one, an array, or one on each line; envelopes or bare events."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from streamgauge.batch import structured
from streamgauge.batch.explain import broken_json
from streamgauge.batch.limits import MAX_BATCH_BYTES, MAX_EVENT_BYTES, Refused, depth
from streamgauge.ingest.elements import count_elements
from streamgauge.ingest.obvious import obvious_event
from streamgauge.ingest.posted import Posted, Refusal, Unreadable, oversized, passed_on

#: No event comes near it; what is deeper is no mistake, and no parser gets to see it.
_MAX_BODY_DEPTH = 64
#: Nor this, with an envelope and in base64; what is smaller is weighed by what it is.
_MAX_DOCUMENT_BYTES = 2 * MAX_BATCH_BYTES
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,127}")


def array(body: bytes, *, most: int) -> list[bytes]:
    """The elements of an array, if they are not too many. Raises ``Unreadable``."""
    _check_depth(body)
    # Before there are any: a small element is thirty times larger as an object.
    _check_count(count_elements(body), most)
    try:
        return [bytes(element) for element in _array(body)]
    except msgspec.ValidationError:
        raise Unreadable("schema", "a batch is a JSON array of events") from None
    except msgspec.DecodeError as error:
        raise Unreadable("decode", broken_json(error, body)) from None


def lines(body: bytes, *, most: int) -> list[bytes]:
    """The lines that hold anything, if they are not too many. Raises ``Unreadable``."""
    _check_depth(body)
    found = [line for line in body.split(b"\n") if line.strip()]
    _check_count(len(found), most)
    return found


def one_or_array(body: bytes, *, most: int) -> list[bytes]:
    """An object alone, or the elements of an array."""
    return array(body, most=most) if body.lstrip()[:1] == b"[" else [body]


def read(documents: list[bytes], *, event: str | None) -> Iterator[Posted | Refusal]:
    """Envelopes and bare events, whichever each document is.

    Parameters
    ----------
    event
        What bare events are; None where each must tell it by its fields.
    """
    for index, document in enumerate(documents):
        yield _read(index, document, event)


def _read(index: int, document: bytes, event: str | None) -> Posted | Refusal:
    if len(document) > _MAX_DOCUMENT_BYTES:
        return _oversized(index, document)
    try:
        fields = {name: bytes(raw) for name, raw in _fields(document).items()}
    # Whatever is wrong with it, the decoder of the named event says it best.
    except (msgspec.DecodeError, RecursionError):
        fields = {}
    if {"specversion", "type"} <= fields.keys():
        return enveloped(index, document)
    known = event or obvious_event(fields)
    if known is not None:
        return Posted(index, f"streamgauge.{known}.v1", {}, document)
    if not fields:
        return Refusal(index, *_no_object(document))
    return Refusal(
        index,
        "schema",
        "type: the fields do not tell which event this is, or something required is missing;"
        " name it, such as ?type=prediction",
        field="type",
    )


def enveloped(index: int, document: bytes) -> Posted | Refusal:
    """A CloudEvent in structured mode."""
    if len(document) > _MAX_DOCUMENT_BYTES:
        return _oversized(index, document)
    try:
        event_type, payload = structured.type_and_data(document)
        attributes = passed_on(structured.attributes(document))
    except Refused as refusal:
        field, colon, _ = refusal.error.partition(": ")
        named = colon and _TYPE.fullmatch(field)
        return Refusal(index, refusal.reason, refusal.error, field=field if named else "")
    del attributes["ce_type"]
    if problem := oversized(attributes):
        return Refusal(index, "too_large", problem)
    return Posted(index, event_type.decode(), attributes, payload)


def _oversized(index: int, document: bytes) -> Refusal:
    return Refusal(
        index,
        "too_large",
        f"the event has {len(document):,} bytes; at most {MAX_EVENT_BYTES:,} are taken,"
        f" of a batch of predictions {MAX_BATCH_BYTES:,}",
    )


def _no_object(document: bytes) -> tuple[str, str]:
    """The reason and the text for what is no JSON object."""
    try:
        document.decode()
        _fields(document)
    except UnicodeDecodeError as error:
        return "decode", f"not UTF-8 (byte {error.start})"
    except msgspec.ValidationError:
        return "schema", "an event is a JSON object"
    except msgspec.DecodeError as error:
        return "decode", broken_json(error, document)
    return "schema", "an empty object is no event"


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise Unreadable("too_large", f"{count:,} events; post at most {most:,} in one request")


def _check_depth(body: bytes) -> None:
    if (deep := depth(body)) > _MAX_BODY_DEPTH:
        raise Unreadable("too_large", f"the body is nested {deep:,} deep; no event is")
