"""What producers tell of themselves in a chunk: the numbers of their records, and heartbeats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.decoded import Decoded, Row
from streamgauge.batch.record_columns import RecordColumns
from streamgauge.batch.structs import Telemetry
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.processing import LogRecord

#: A record's index in its chunk, its model, and the number that its producer gave it.
Numbered = tuple[int, str, bytes]
_row = itemgetter(0)


def take_clients(
    models: Mapping[str, ModelMonitor],
    decoded: Decoded,
    records: Sequence[LogRecord],
    *,
    made_at: Mapping[str, int],
    reached: NDArray[np.float64],
) -> set[str]:
    """Take a chunk's numbers and heartbeats in log order; return the models that had any.

    ``made_at`` are the rows at which models came that were unknown before; ``reached`` (records,)
    is the log's time at each record, in seconds.
    """
    numbered = _numbered(models, decoded)
    heard: set[str] = set()
    start = 0
    for beat in decoded.telemetry:
        # A heartbeat tells the last number by then, so those before it are taken before it.
        stop = bisect_right(numbered, beat.row, key=_row)
        heard |= _take_numbers(models, numbered[start:stop], decoded.records, made_at)
        start = stop
        monitor = models.get(beat.event.model)
        if monitor is not None:
            _take_heartbeat(monitor, beat, records[beat.row], float(reached[beat.row]))
            heard.add(monitor.model)
    return heard | _take_numbers(models, numbered[start:], decoded.records, made_at)


def _numbered(models: Mapping[str, ModelMonitor], decoded: Decoded) -> Sequence[Numbered]:
    """By row. What came and could not be read was not lost on the way."""
    if len(decoded.predictions) == len(decoded.records):
        return decoded.sequences
    read = {row for row, _, _ in decoded.sequences} if decoded.dead else set()
    dead = []
    for row, letter in decoded.dead:
        found = dict(letter.record.headers).get("ce_sequence")
        if found is not None and row not in read:
            # Nothing of it is sure but its key: the model, or one of its shards.
            name = (letter.record.key or b"").decode(errors="replace")
            shard_of = name.rpartition("/")[0]
            dead.append((row, name if name in models else shard_of, found))
    # Predictions are decoded before the other records of their block.
    return sorted([*decoded.sequences, *dead], key=_row)


def _take_numbers(
    models: Mapping[str, ModelMonitor],
    numbered: Sequence[Numbered],
    records: RecordColumns,
    made_at: Mapping[str, int],
) -> set[str]:
    if not numbered:
        return set()
    rows, named, told = (list(map(itemgetter(place), numbered)) for place in range(3))
    topics, by_key = records.topics, records.keys
    if len(rows) < len(topics):
        topics, by_key = tuple(topics[row] for row in rows), tuple(by_key[row] for row in rows)
    model, topic, key = named[0], topics[0], by_key[0]
    alike = named.count(model) == topics.count(topic) == by_key.count(key) == len(rows)
    if alike and key in (None, model.encode()) and made_at.get(model, -1) <= rows[0]:
        # Nearly every chunk: of one model, and its name the key.
        if model in models:
            models[model].clients.number(topic, told)
        return models.keys() & {model}
    keys = {model: model.encode() for model in {*named} & models.keys()}
    numbers: dict[tuple[str, str], list[bytes]] = {}
    for (row, model, number), topic, key in zip(numbered, topics, by_key, strict=True):
        if model in keys and made_at.get(model, -1) <= row:
            if key is not None and key != keys[model]:
                # Each key is numbered by itself: each shard, where a model has some.
                number = b"%08x." % crc32(key) + number
            numbers.setdefault((model, topic), []).append(number)
    for (model, topic), of_topic in numbers.items():
        models[model].clients.number(topic, of_topic)
    return {model for model, _ in numbers}


def _take_heartbeat(
    monitor: ModelMonitor, beat: Row[Telemetry], record: LogRecord, log_time: float
) -> None:
    monitor.clients.heartbeat(
        service=beat.event.service,
        instance=beat.event.instance,
        at=record.timestamp or beat.timestamp,
        log_time=log_time,
        measurements=beat.event.measurements,
        topic=record.topic,
        sequence=beat.event.sequence,
    )
