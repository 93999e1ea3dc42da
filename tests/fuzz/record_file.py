"""A record as a file: a head of lines, an empty line, and the value's bytes as they are.

    topic: streamgauge.predictions
    timestamp: 1700000000.0
    ce_type: streamgauge.prediction.v1

    {"prediction_id": …

Every sequence of bytes is a record, so that whatever a mutation does to a file can be judged.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from streamgauge.processing import LogRecord

CORPUS = Path(__file__).parent / "corpus"
#: The end of the head.
BLANK = b"\n\n"


def read(data: bytes, *, offset: int = 0) -> LogRecord:
    """The record that a file holds. A line that nobody can read is left out."""
    head, _, value = data.partition(BLANK)
    topic, timestamp, key, null = "streamgauge.predictions", 1_700_000_000.0, b"m", False
    headers: list[tuple[str, bytes]] = []
    for line in head.split(b"\n"):
        name, _, content = line.partition(b": ")
        if name == b"topic":
            topic = content.decode(errors="replace")
        elif name == b"timestamp":
            with contextlib.suppress(ValueError):
                timestamp = float(content)
        elif name == b"key":
            key = content
        elif line == b"null":
            null = True
        elif line:
            headers.append((name.decode(errors="replace"), content))
    stamp = None if timestamp < 0 else timestamp
    return LogRecord(topic, 0, offset, stamp, key, tuple(headers), None if null else value)


def corpus() -> dict[str, bytes]:
    """All kept files by their names, in the order of the names."""
    return {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir()) if path.is_file()}
