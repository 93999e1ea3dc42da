"""CloudEvents in structured mode: one JSON object that holds the attributes and the event."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from streamgauge.batch.explain import broken_json
from streamgauge.batch.limits import Refused, depth
from streamgauge_client.events.base import MAX_DEPTH

MEDIA_TYPE = b"application/cloudevents"
BATCH_MEDIA_TYPE = b"application/cloudevents-batch"
_NOT_ATTRIBUTES = frozenset({"data", "data_base64"})
#: So many brackets can't nest deeper than an event and its envelope do.
_LEVELS = MAX_DEPTH + 1

Fields = Mapping[str, msgspec.Raw]
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


def is_structured(content_type: bytes) -> bool:
    """Whether a content type says that the value is an envelope. Raises ``Refused``.

    Kafka has no batched mode, and JSON is the one format that is read.
    """
    media_type = content_type.partition(b";")[0].strip().lower()
    if not media_type.startswith(MEDIA_TYPE):
        return False
    if media_type.startswith(BATCH_MEDIA_TYPE):
        raise Refused(
            "schema",
            "content-type: a batch of CloudEvents, but a record of Kafka carries one event;"
            " send one record for each, or post the batch to the ingest service (/v1/events)",
        )
    if media_type in (MEDIA_TYPE, MEDIA_TYPE + b"+json"):
        return True
    raise Refused(
        "schema",
        "content-type: of the formats of CloudEvents JSON alone is read;"
        " send application/cloudevents+json",
    )


def type_and_data(value: bytes) -> tuple[bytes, bytes]:
    """The envelope's type and the event's JSON. Raises ``Refused`` (decode, schema, too_large)."""
    fields = _fields(value)
    event_type = fields.get("type")
    if event_type is None:
        raise Refused("schema", "type: missing; an envelope of CloudEvents names its event's type")
    try:
        announced = _text(event_type).encode()
    except msgspec.DecodeError:
        raise Refused("schema", "type: expected text") from None
    data, encoded = fields.get("data"), fields.get("data_base64")
    if encoded is None:
        if data is None:
            raise Refused("schema", "data: missing; the event itself stands there")
        return announced, bytes(data)
    if data is not None:
        raise Refused("schema", "data_base64: stands beside data; send one of the two")
    try:
        return announced, base64.b64decode(_text(encoded), validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise Refused("decode", "data_base64: expected text in base64") from None


def attributes(value: bytes) -> dict[str, bytes]:
    """The envelope's attributes under the names and in the form that headers would have.

    >>> attributes(b'{"type": "t", "sampledrate": 10, "time": null, "data": {}}')
    {'ce_type': b't', 'ce_sampledrate': b'10'}
    """
    return {
        f"ce_{name}": text
        for name, raw in _fields(value).items()
        if name not in _NOT_ATTRIBUTES and (text := _as_header(raw)) is not None
    }


# One entry: the type and the data are asked for, and then the attributes of the same record.
# Python keeps the hash of bytes with them.
@lru_cache(maxsize=1)
def _fields(value: bytes) -> Fields:
    if value.count(b"{") + value.count(b"[") > _LEVELS and (deep := depth(value)) > _LEVELS:
        raise Refused(
            "too_large", f"the event is nested {deep - 1:,} deep, at most {MAX_DEPTH} are taken"
        )
    # msgspec does not look into what it skips.
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise Refused("decode", f"not UTF-8 (byte {error.start})") from None
    try:
        return _decode(value)
    except msgspec.ValidationError:
        raise Refused("schema", "an envelope of CloudEvents is a JSON object") from None
    except msgspec.DecodeError as error:
        raise Refused("decode", broken_json(error, value)) from None


def _as_header(raw: msgspec.Raw) -> bytes | None:
    """An attribute as binary mode writes it: text without quotes; null is absent."""
    written = bytes(raw)
    if written.startswith(b'"'):
        return _text(written).encode()
    return None if written == b"null" else written
