"""Bytes changed as a hostile or broken sender would: seeded, so that the same come each time."""

from __future__ import annotations

import random
import re
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


#: A value behind a colon or in a list, as far as an expression can tell.
_VALUE = re.compile(rb'[:,[]\s*("(?:[^"\\]|\\.)*"|[^][{},":\n]+)')
#: JSON values that are right somewhere, and wrong in most places.
VALUES = (
    b"null", b"true", b"0", b"-1", b"0.5", b"1e308", b"5e-324", b'""', b'"x"', b"[]", b"{}",
    b"[1.0,null]", b'["a",null]', b'{"label":"a"}', b'{"label":["a"],"score":[1]}', b"1700000000.5",
    b'"2023-11-14T22:13:20+01:00"', b'{"a":1,"b":"x"}', b'"\\u0000"', b'"\xc3\xa9"', b"9" * 25,
)  # fmt: skip


def mutated(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A file after some changes, mostly one, so that much of it stays JSON.

    ``others`` lend it parts of themselves.
    """
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        if rng.random() < 0.5:
            _put_value(changed, rng)
            continue
        _change(changed, rng, others)
    return bytes(changed[:MOST_BYTES])


def _change(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 2, 4, 16, 256)))
    kind = rng.randrange(7)
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
    else:
        del data[at:]


def _put_value(data: bytearray, rng: random.Random) -> None:
    """Put a JSON value, one of ours or one of its own, in the place of another."""
    places = list(_VALUE.finditer(data[:20_000]))
    if not places:
        return
    here, there = rng.choice(places), rng.choice(places)
    value = rng.choice((there[1], rng.choice(VALUES)))
    data[here.start(1) : here.end(1)] = value
