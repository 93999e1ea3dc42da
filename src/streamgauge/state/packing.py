"""Plain values and arrays as bytes, the same bytes for the same state, with a seal."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgpack
import numpy as np

from streamgauge.processing import StateError

MAGIC = b"SG1"
SEAL_SIZE = 32
ARRAY = 1


def pack(state: Any, *, key: bytes = b"") -> bytes:
    """Write plain values and one-dimensional arrays down, sealed with HMAC-SHA-256.

    Integers come back as int64, whatever they were.

    Without a key the seal shows damage, not forgery.
    """
    body: bytes = msgpack.packb(state, default=_array)
    return MAGIC + _seal(body, key) + body


def unpack(data: bytes, *, key: bytes = b"") -> Any:
    """Read what ``pack`` wrote. Raises ``StateError`` before anything unproven is parsed."""
    head = len(MAGIC) + SEAL_SIZE
    body = data[head:]
    if not data.startswith(MAGIC):
        raise StateError("a state blob without our mark: written by something else")
    if not hmac.compare_digest(data[len(MAGIC) : head], _seal(body, key)):
        raise StateError("a state blob whose seal does not fit: damaged, forged, or another key")
    return msgpack.unpackb(body, ext_hook=_read, strict_map_key=False)


def _seal(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


def _array(value: Any) -> msgpack.ExtType:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        if value.dtype.kind not in "biuf":
            # Of objects, the bytes would be addresses in memory.
            raise TypeError(f"no state can hold an array of {value.dtype}")
        if value.dtype.kind == "i" and (not len(value) or value.min() >= 0):
            # Counts of a pane are small; eight bytes for each would be most of a state.
            value = value.astype(np.min_scalar_type(value.max() if len(value) else 0))
        return msgpack.ExtType(ARRAY, value.dtype.str.encode() + b"|" + value.tobytes())
    if isinstance(value, np.integer | np.floating):
        raise TypeError(f"a numpy scalar in the state: {value!r}; make it a plain number")
    raise TypeError(f"no state can hold a {type(value).__name__}")


def _read(code: int, data: bytes) -> Any:
    if code != ARRAY:
        raise StateError(f"unknown extension {code} in a state blob")
    kind, _, content = data.partition(b"|")
    # "|b1" and "|u1" carry the parting sign themselves.
    if not kind:
        kind, content = b"|" + content[:2], content[3:]
    found = np.frombuffer(content, dtype=np.dtype(kind.decode()))
    return found.astype(np.int64) if found.dtype.kind in "iu" else found.copy()
