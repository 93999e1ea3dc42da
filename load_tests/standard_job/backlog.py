"""Writing the log into Kafka before anything is measured: an event a record, or 1,000 of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from confluent_kafka import Producer

from load_tests.standard_job import log
from load_tests.standard_job.job import CATEGORICAL, MODEL, NUMERIC, RATE, SCORE
from streamgauge_client import Publisher
from streamgauge_client.codec import Headers
from streamgauge_client.keys import partition_key
from streamgauge_client.recording import recorders

#: Rows of one message of columns.
ROWS = 1_000


class Sent(NamedTuple):
    """One record to write."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    #: When it was recorded: when its last event happened.
    at: float


def singles(values: Iterable[bytes], begin: float) -> Iterator[Sent]:
    """An event a record."""
    key = partition_key(MODEL, "")
    for number, value in enumerate(values):
        at = begin + number / RATE
        yield Sent(key, value, log.headers(number, at), at)


def columns(values: Iterable[bytes], *, passes: int) -> Iterator[Sent]:
    """The same events as ``Publisher.log_batch`` sends them, by the thousand, and on and on.

    A message of columns is taken so fast that the log must be longer: each pass sends the events
    again, as later ones.
    """
    publisher = Publisher(model=MODEL, version="3.2.0", heartbeat=False)
    events = [orjson.loads(value) for value in values]
    span = len(events) / RATE
    for number in range(passes):
        for start in range(0, len(events) - ROWS + 1, ROWS):
            rows = [
                event
                | {
                    "timestamp": event["timestamp"] + number * span,
                    "prediction_id": f"{number}-{event['prediction_id']}",
                }
                for event in events[start : start + ROWS]
            ]
            yield _message(publisher, rows)


def _message(publisher: Publisher, rows: list[dict[str, Any]]) -> Sent:
    names = (*NUMERIC, *CATEGORICAL)
    taken = _Taken()
    recorders.append(taken)
    try:
        publisher.log_batch(
            features={name: [row["features"][name] for row in rows] for name in names},
            output=[row[SCORE] for row in rows],
            prediction_id=[row["prediction_id"] for row in rows],
            timestamp=[row["timestamp"] for row in rows],
        )
    finally:
        recorders.remove(taken)
    ((key, value, headers),) = taken.records
    # It says that it was sent now, which is long after what its record will say.
    at = rows[-1]["timestamp"]
    dated = [(name, log.moment(at) if name == "ce_time" else text) for name, text in headers]
    return Sent(key, value, dated, at)


class _Taken:
    """Takes what a publisher sends in the producer's place."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes, Headers]] = []

    def record(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self.records.append((key, value, headers))


def write(servers: str, topic: str, records: Iterable[Sent]) -> int:
    """Write them with the client's own settings; return how many. Raises ``RuntimeError``."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 256 * 1024,
            "compression.type": "lz4",
            # A broker that has just started says for a second that it is not ready.
            "log_level": 3,
        }
    )
    written = 0
    for sent in records:
        while True:
            try:
                producer.produce(
                    topic,
                    key=sent.key,
                    value=sent.value,
                    headers=list(sent.headers),
                    timestamp=round(sent.at * 1_000),
                )
                break
            except BufferError:
                producer.poll(0.1)
        written += 1
    if waiting := producer.flush(60):
        raise RuntimeError(f"Kafka did not take {waiting:,} of {written:,} records in a minute")
    return written
