"""The signed envelope of a model: verified as a whole before anything in it is read.

::

    magic 4 | key id 8 | header length 4 | payload length 8 | header (JSON) | payload | HMAC 32

Integers are big-endian. The signature is HMAC-SHA-256 over everything before it. The learner that
signs and the servers that verify are one party with one key (`reference/security.md`, section 5);
the key's id tells a wrong key from damage.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from pydantic import ValidationError

from streamgauge.registry.header import FORMAT, ModelHeader, refuse_other_libraries
from streamgauge.registry.rejected import Rejected, require_key

MAGIC = b"SGM1"
MAX_BYTES = 64 * 1024 * 1024
#: Largest header: 20 trials of a thousand features are about 1 MiB.
MAX_HEADER_BYTES = 4 * 1024 * 1024
_PREFIX = struct.Struct(">4s8sIQ")
_SEAL = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Artefact:
    """An envelope that was verified: its header, and the payload that belongs to it."""

    header: ModelHeader
    payload: bytes


def key_id(key: bytes) -> bytes:
    """Eight bytes that name a key and tell nothing of it."""
    return hmac.new(key, b"streamgauge key id", hashlib.sha256).digest()[:8]


def seal(header: ModelHeader, payload: bytes, *, key: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """Sign a model. Raises ``Rejected`` without a key, and for a model that is too large."""
    require_key(key)
    if header.payload_sha256 != hashlib.sha256(payload).hexdigest():
        raise ValueError("the header describes another payload")
    head = header.to_bytes()
    size = _PREFIX.size + len(head) + len(payload) + _SEAL
    if len(head) > MAX_HEADER_BYTES:
        raise Rejected("size", f"the header has {len(head):,} bytes; keep fewer rows to test with")
    if size > max_bytes:
        raise Rejected(
            "size",
            f"the model has {size:,} bytes, the limit is {max_bytes:,}; bound its growth (fewer"
            " trees, max_depth, memory_estimate_period)",
        )
    prefix = _PREFIX.pack(MAGIC, key_id(key), len(head), len(payload))
    signed = b"".join((prefix, head, payload))
    return signed + hmac.digest(key, signed, "sha256")


def unseal(
    data: bytes,
    *,
    key: bytes,
    model: str,
    version: int | None = None,
    not_before: int = 0,
    max_bytes: int = MAX_BYTES,
) -> Artefact:
    """Verify an envelope and read its header. The payload stays bytes.

    Parameters
    ----------
    model, version
        What was asked for; another model's or version's artefact is refused.
    not_before
        The least version that is accepted: what was seen before is not gone back behind.

    Raises ``Rejected`` with the reason.
    """
    require_key(key)
    if len(data) > max_bytes:
        raise Rejected("size", f"the artefact has {len(data):,} bytes, the limit is {max_bytes:,}")
    if len(data) < _PREFIX.size + _SEAL or not data.startswith(MAGIC):
        raise Rejected("format", "this is no artefact of a model, or it was cut off")
    _, named, head_size, payload_size = _PREFIX.unpack_from(data)
    if head_size > MAX_HEADER_BYTES or len(data) != (
        _PREFIX.size + head_size + payload_size + _SEAL
    ):
        raise Rejected("format", "the artefact is not as long as it says: cut off, or damaged")
    if not hmac.compare_digest(named, key_id(key)):
        raise Rejected(
            "signature",
            "the artefact was signed with another key; give every process the learner's"
            " STREAMGAUGE_STATE__KEY",
        )
    signed = memoryview(data)[:-_SEAL]
    if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), data[-_SEAL:]):
        raise Rejected("signature", "the artefact's signature does not fit: damaged, or forged")
    head = data[_PREFIX.size : _PREFIX.size + head_size]
    payload = data[_PREFIX.size + head_size : -_SEAL]
    header = _header(head, payload)
    _refuse_another(header, model=model, version=version, not_before=not_before)
    refuse_other_libraries(header.libraries)
    return Artefact(header, payload)


def _header(head: bytes, payload: bytes) -> ModelHeader:
    try:
        header = ModelHeader.model_validate_json(head)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Rejected(
            "format", f"the header is none of ours: {first['loc']}: {first['msg']}"
        ) from None
    if header.format != FORMAT:
        raise Rejected("format", f"format {header.format} is not read here; upgrade streamgauge")
    if header.payload_sha256 != hashlib.sha256(payload).hexdigest():
        raise Rejected("format", "the header describes another payload")
    return header


def _refuse_another(
    header: ModelHeader, *, model: str, version: int | None, not_before: int
) -> None:
    # Compared as bytes: texts with other than ASCII letters can't be compared in constant time.
    same = hmac.compare_digest(header.model.encode(), model.encode())
    if not same or (version is not None and header.version != version):
        wanted = f"{model} {version}" if version is not None else model
        raise Rejected(
            "mismatch", f"asked for {wanted}, the artefact is {header.model} {header.version}"
        )
    if header.version < not_before:
        raise Rejected(
            "old", f"version {header.version} of {model} is older than {not_before}, which was seen"
        )
