"""What the event decoder promises for any bytes, as checks that a test or a campaign calls."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streamgauge.batch.columns import batches_by_model
from streamgauge.batch.decode import decode, decode_records
from streamgauge.batch.decoded import Decoded
from streamgauge.batch.limits import MAX_ERROR_BYTES
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.streaming import dead_letters

REASONS = ("decode", "schema", "too_large", "future")
MOST_SECONDS = 0.010
MOST_BYTES = 16 * 1024 * 1024
#: How much longer than promised an input may take here: machines that test are busy ones.
SLACK = 20


def judged(record: LogRecord) -> str:
    """``taken``, or the reason of a typed refusal. Anything else raises ``AssertionError``."""
    taken = decode(record)
    decoded = decode_records([record])
    for batches in batches_by_model(decoded).values():
        for batch in batches:
            assert len(batch) == len(batch.timestamp) == len(batch.label)
            batch.features.columns(list(batch.features.first_rows(())))
    if not isinstance(taken, DeadLetter):
        # Only the times of a batch's rows are judged later.
        return decoded.dead[0][1].reason if decoded.dead else "taken"
    assert taken.reason in REASONS, taken
    assert not taken.error.startswith("could not be read"), f"nobody foresaw it: {taken.error}"
    assert taken.error and len(taken.error.encode()) <= MAX_ERROR_BYTES
    assert [letter for _, letter in decoded.dead] == [taken]
    letter = dead_letters.outgoing(taken, topic="dead", service="s")
    assert all(isinstance(name, str) for name, _ in letter.headers)
    return taken.reason


def plainly(decoded: Decoded, first: int = 0) -> list[tuple[Any, ...]]:
    """Everything that was decoded, in the order of the records, to be compared."""
    rows: list[tuple[Any, ...]] = [
        (first + row, "prediction", *rest)
        for row, *rest in zip(
            decoded.rows.tolist(),
            decoded.offsets.tolist(),
            decoded.timestamps.tolist(),
            decoded.record_timestamps.tolist(),
            decoded.weights.tolist(),
            decoded.predictions,
            strict=True,
        )
    ]
    rows += [
        (first + b.row, "batch", b.offset, b.timestamps.tolist(), b.record_timestamp, b.weight,
         msgspec.to_builtins(b.event))
        for b in decoded.batches
    ]  # fmt: skip
    for others in (decoded.labels, decoded.feedback, decoded.telemetry, decoded.model_events):
        rows += [(first + r.row, "event", r.timestamp, r.event) for r in others]
    rows += [(first + row, "dead", letter) for row, letter in decoded.dead]
    rows += [(first + row, "number", model, n) for row, model, n in decoded.sequences]
    return sorted(rows, key=lambda each: (each[0], each[1]))


def same_as_one_by_one(records: Sequence[LogRecord]) -> None:
    """A chunk gives what its records give, each by itself, and every record something."""
    alone = [row for i, r in enumerate(records) for row in plainly(decode_records([r]), i)]
    together = plainly(decode_records(records))
    assert together == alone
    became = [row for row in together if row[1] != "number"]
    assert [row[0] for row in became] == list(range(len(records)))


def quick(record: LogRecord, *, slack: float = SLACK) -> float:
    """Seconds of this thread's own time that decoding takes; the best of three."""
    best = min(_seconds(lambda: decode(record)) for _ in range(3))
    assert best < MOST_SECONDS * slack, f"{best * 1000:.1f} ms for {len(record.value or b'')} bytes"
    return best


def small(record: LogRecord) -> int:
    """Most bytes that decoding holds at once, beside the record."""
    tracemalloc.start()
    try:
        decode(record)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak} bytes for {len(record.value or b'')}"
    return peak


def _seconds(call: Callable[[], object]) -> float:
    begun = time.thread_time()
    call()
    return time.thread_time() - begun
