"""Dead letters: pure functions of their record, produced and acknowledged before the checkpoint.

They don't pass through Redis: a replay produces the same ones again, and readers drop duplicates
by the source position.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging

from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.streaming.publisher import Outgoing, Publisher, PublishFailed
from streamgauge_client.topics import DEAD_LETTERS

logger = logging.getLogger(__name__)

MAX_ERROR_BYTES = 1024
#: A record with more than this does not fit the topic with our headers beside it.
MOST_BYTES = DEAD_LETTERS.max_message_bytes - 64 * 1024
#: What is kept of one that does not.
KEPT_BYTES = 64 * 1024


def outgoing(letter: DeadLetter, *, topic: str, service: str) -> Outgoing:
    """Key, value and headers as they came, and where and why in further headers."""
    record = letter.record
    attempt = dict(record.headers).get("streamgauge_attempt", b"1")
    said = {
        "reason": letter.reason.encode(),
        "error": letter.error.encode("utf-8", "replace")[:MAX_ERROR_BYTES],
        "topic": record.topic.encode(),
        "partition": b"%d" % record.partition,
        "offset": b"%d" % record.offset,
        "timestamp": b"" if record.timestamp is None else repr(record.timestamp).encode(),
        "sha256": hashlib.sha256(record.value or b"").hexdigest().encode(),
        "attempt": attempt,
        "service": service.encode(),
    }
    headers = record.headers
    value = record.value
    if _size(record) > MOST_BYTES:
        # It can't be written whole, and must not block the partition: the position and the hash
        # lead to the original, as long as the source topic keeps it.
        said["truncated"] = b"%d" % len(value or b"")
        headers, value = (), (value or b"")[:KEPT_BYTES]
    own = tuple((f"streamgauge_{name}", content) for name, content in said.items())
    return Outgoing(topic, record.key, (*headers, *own), value)


def _size(record: LogRecord) -> int:
    headers = sum(len(name) + len(content) for name, content in record.headers)
    return len(record.value or b"") + len(record.key or b"") + headers


async def acknowledged(publisher: Publisher, letters: list[Outgoing]) -> None:
    """Produce them and wait for every acknowledgement, for as long as it takes."""
    pause = 0.1
    while letters:
        try:
            await publisher.publish(letters)
            return
        except PublishFailed as error:
            logger.warning(
                "%d dead letters wait, and the checkpoint behind them: %s; next try in %.1f s",
                len(letters),
                error,
                pause,
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
