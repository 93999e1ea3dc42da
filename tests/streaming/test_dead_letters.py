"""Dead letters: whole where they fit, and never in the way of the partition."""

from __future__ import annotations

import hashlib

from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.streaming.dead_letters import KEPT_BYTES, outgoing
from streamgauge_client.topics import DEAD_LETTERS


def letter(value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()) -> DeadLetter:
    return DeadLetter(LogRecord("t", 1, 7, 5.0, b"k", headers, value), "too_large", "too large")


def test_a_letter_that_fits_has_its_bytes_and_headers() -> None:
    sent = outgoing(letter(b"x" * 2_000_000, (("a", b"b"),)), topic="d", service="monitor")
    assert sent.value == b"x" * 2_000_000
    assert sent.headers[0] == ("a", b"b")
    assert "streamgauge_truncated" not in dict(sent.headers)


def test_a_letter_that_can_not_be_written_whole_leads_to_the_original() -> None:
    # Given a record above what the dead-letter topic takes
    value = b"x" * 5_000_000
    sent = outgoing(letter(value, (("a", b"b"),)), topic="d", service="monitor")
    headers = dict(sent.headers)
    # Then the beginning is kept, and length, hash and place of the whole
    assert sent.value == value[:KEPT_BYTES]
    assert headers["streamgauge_truncated"] == b"5000000"
    assert headers["streamgauge_sha256"] == hashlib.sha256(value).hexdigest().encode()
    assert headers["streamgauge_offset"] == b"7"


def test_headers_alone_can_not_block_the_partition() -> None:
    sent = outgoing(letter(b"{}", (("h", b"x" * 4_200_000),)), topic="d", service="monitor")
    size = len(sent.value or b"") + sum(len(n) + len(c) for n, c in sent.headers)
    assert size < DEAD_LETTERS.max_message_bytes
