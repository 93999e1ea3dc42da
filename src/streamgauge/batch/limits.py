"""The limits that a record must keep before anybody parses it, and their cheap checks.

What an event may hold is limited by the contract; its constants are in
``streamgauge_client.events.base``.
"""

from __future__ import annotations

import re

import numpy as np

from streamgauge_client.events.base import MAX_DEPTH

#: Largest value of one record, framing included.
MAX_EVENT_BYTES = 256 * 1024
#: The same of a batch of predictions: what a broker takes by default, and room for headers.
MAX_BATCH_BYTES = 900 * 1024
#: Most headers of one record: senders have a dozen, and each is looked at several times.
MAX_HEADERS = 1_000
#: How far an event may lie ahead of its record's timestamp; a clock beyond it is wrong.
MAX_LEAD_SECONDS = 300.0
#: Longest text that says why a record was refused.
MAX_ERROR_BYTES = 1024

# Possessive, so that a hostile string can't make the search go back. The last quote may be missing.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
#: Up to so many brackets, taking them away in pairs is cheaper than numpy's first step.
_FEW = 64
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
#: From so many bytes on a text of nothing but short strings costs more than numpy's steps.
_LARGE = 16 * 1024
_NO_MARKS = bytes(set(_NO_BRACKETS) - set(b'"'))


class Refused(Exception):
    """A record can't be taken. ``reason`` is a dead letter's, ``error`` a text for people."""

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(error)
        self.reason = reason
        self.error = error


def check_size(value: bytes, *, most: int = MAX_EVENT_BYTES) -> None:
    """Refuse a value that is larger than an event may be."""
    if len(value) > most:
        remedy = "fewer rows" if most > MAX_EVENT_BYTES else "fewer or shorter features"
        raise Refused(
            "too_large",
            f"the event has {len(value):,} bytes, at most {most:,} are taken; send {remedy}",
        )


def check_depth(payload: bytes) -> None:
    """Refuse JSON that nests deeper than events may.

    An event that opens at most ``MAX_DEPTH`` brackets can't be too deep. To look for a "[" first is
    cheap, a count reads every byte, and most events have none.
    """
    opened = payload.count(b"{")
    if b"[" in payload:
        opened += payload.count(b"[")
    if opened > MAX_DEPTH:
        deep = depth(payload)
        if deep > MAX_DEPTH:
            raise Refused(
                "too_large", f"the event is nested {deep:,} deep, at most {MAX_DEPTH} are taken"
            )


def depth(payload: bytes) -> int:
    """Deepest nesting of brackets outside of strings.

    Exact for JSON; for a broken text it is that of the part a parser would reach, or more.

    >>> depth(b'{"a": [[1], "[[[["]}')
    3
    """
    if len(payload) > _LARGE:
        return _depth_of_large(payload)
    escaped = b"\\" in payload
    outside = _STRING.sub(b"", payload) if escaped else b"".join(payload.split(b'"')[::2])
    brackets = outside.translate(_ONE_KIND, _NO_BRACKETS)
    if len(brackets) <= _FEW:
        # Each pass takes away the innermost level; nearly all events are done after three.
        left = brackets
        for level in range(MAX_DEPTH + 1):
            if not left:
                return level
            left = left.replace(b"[]", b"")
    opens = np.frombuffer(brackets, dtype=np.uint8) == ord("[")
    steps = opens.view(np.int8) * np.int8(2) - np.int8(1)
    return int(steps.cumsum(dtype=np.int32).max(initial=0))


def _depth_of_large(payload: bytes) -> int:
    """The same by the parity of quotes, in a few passes whatever the text consists of."""
    # Pairs of backslashes first, so that what is left before a quote escapes it.
    plain = payload.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in payload else payload
    marks = np.frombuffer(plain.translate(_ONE_KIND, _NO_MARKS), dtype=np.uint8)
    # Sums of the type that they are made of: numpy takes three times as long to convert meanwhile.
    # That of quotes runs over, and its last bit is right all the same.
    quotes = np.cumsum((marks == ord('"')).view(np.uint8), dtype=np.uint8)
    steps = (marks == ord("[")).view(np.int8) - (marks == ord("]")).view(np.int8)
    level = (steps * (quotes & 1 == 0)).astype(np.int32)
    return int(np.cumsum(level, out=level).max(initial=0))
