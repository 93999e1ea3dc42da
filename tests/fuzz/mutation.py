"""Bytes changed as a hostile or broken sender would: seeded, so that the same come each time."""

from __future__ import annotations

import random
from collections.abc import Sequence

#: A value is at most so large; the broker takes no larger one.
MOST_BYTES = 1024 * 1024
#: What parsers have stumbled over before.
PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-", b"e", b".", b"\n", b": ", b"\n\n",
    b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\0", b"\0\0\0\0\1", b"\\u0000",
    b"\\ud800", b"\\ud83d\\ude00", b"null", b"true", b"NaN", b"Infinity", b"-Infinity", b"1e999",
    b"-0", b"0.1e-400", b"9" * 25, b"9" * 400, b"18446744073709551616", b"-9223372036854775809",
    b"1700000000000", b"4102444800", b'"2023-11-14T22:13:20Z"', b'"model":"",', b'"model":"m",',
    b'"features":{},', b'"output":null,', b'"data":{},', b'"timestamp":[],', b'{"a":' * 10,
    b"[" * 10, b"ce_type: streamgauge.label.v1\n", b"ce_sequence\n", b"ce_sampledrate: 9\n",
    b"content-type: application/cloudevents+json\n", b"content-type\n", b"ce_time: x\n",
    b"topic: streamgauge.labels\n", b"timestamp: nan\n", b"timestamp: inf\n", b"timestamp: -1\n",
)  # fmt: skip


def mutated(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A file after one to five changes; ``others`` lend it parts of themselves."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 5)):
        _change(changed, rng, others)
    return bytes(changed[:MOST_BYTES])


def _change(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 2, 4, 16, 256)))
    kind = rng.randrange(8)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at:at] = rng.choice(PIECES)
    elif kind == 2:
        data[at:end] = rng.choice(PIECES)
    elif kind == 3:
        del data[at:end]
    elif kind == 4:
        # A field, a row, a header twice; seldom so often that it fills a record.
        span = bytes(data[at:end])
        most = MOST_BYTES // max(1, len(span)) if rng.random() < 0.02 else 8
        data[at:at] = span * rng.randint(1, most)
    elif kind == 5:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        data[at:end] = other[start : start + rng.choice((4, 32, 512))]
    elif kind == 6:
        del data[at:]
    else:
        _swap_values(data, rng)


def _swap_values(data: bytearray, rng: random.Random) -> None:
    """Put one JSON value in the place of another, so that the whole stays JSON."""
    colons = [i for i, byte in enumerate(data[:20_000]) if byte == ord(":")]
    if len(colons) < 2:
        return
    here, there = rng.choice(colons) + 1, rng.choice(colons) + 1
    value = bytes(data[there:]).split(b",")[0]
    end = data.find(b",", here)
    data[here : end if end >= 0 else len(data)] = value
