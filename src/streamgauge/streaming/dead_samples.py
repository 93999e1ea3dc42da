"""The last dead letters of each reason, for people who look: where they lie and why.

What a record holds stays in Kafka, where it has readers of its own. The samples go through Redis.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamgauge.processing import DeadLetter
from streamgauge.state.keys import model_id
from streamgauge.state.views import DeadSampleView
from streamgauge.telemetry.traces import trace_id

#: Of each reason; some 500 bytes each at most, in every checkpoint.
MOST_SAMPLES = 5
MOST_CHARACTERS = 300


def keep_samples(kept: dict[str, list[DeadSampleView]], letters: Sequence[DeadLetter]) -> None:
    """Add the last of the letters to what is kept of their reasons, in place."""
    fresh: dict[str, list[DeadLetter]] = {}
    # From the end: of a step in which all was refused, few become samples.
    for letter in reversed(letters):
        own = fresh.setdefault(letter.reason, [])
        if len(own) < MOST_SAMPLES:
            own.append(letter)
    for reason, own in fresh.items():
        samples = [*kept.get(reason, []), *map(_sample, reversed(own))]
        kept[reason] = samples[-MOST_SAMPLES:]


def _sample(letter: DeadLetter) -> DeadSampleView:
    record = letter.record
    headers = dict(record.headers)
    return DeadSampleView(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        model_id=model_id(_model(record.key)),
        bytes=len(record.value or b""),
        # What a library said when it failed may hold the value that it failed on.
        error="" if letter.reason == "handler" else letter.error[:MOST_CHARACTERS],
        # Where the event began; else the last hop.
        trace_id=trace_id(headers.get("ce_traceparent") or headers.get("traceparent")),
    )


def _model(key: bytes | None) -> str:
    """The model that a key names, without its shard."""
    name = (key or b"").decode(errors="replace")
    model, _, shard = name.rpartition("/")
    return model if shard.isdigit() and model else name
