"""From records to typed events, or to dead letters that say why: one pass over a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.decoded import AnyEvent, BatchRow, Decoded, Row
from streamgauge.batch.delivery import delivery
from streamgauge.batch.envelope import attribute, bare_event, unwrap
from streamgauge.batch.explain import broken_json, wrong_content
from streamgauge.batch.limits import (
    MAX_ERROR_BYTES,
    MAX_LEAD_SECONDS,
    Refused,
    check_depth,
)
from streamgauge.batch.plain import BLOCK, Plain, plain_predictions
from streamgauge.batch.record_columns import RecordColumns
from streamgauge.batch.shapes import Shapes
from streamgauge.batch.structs import (
    Feedback,
    Label,
    Model,
    Prediction,
    PredictionBatch,
    Telemetry,
)
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge_client.events.base import MAX_DEPTH
from streamgauge_client.events.timestamp import FIRST_MILLISECONDS, to_seconds
from streamgauge_client.topics import PREDICTIONS

_TYPES: dict[str, type[AnyEvent]] = {
    "prediction": Prediction,
    "prediction_batch": PredictionBatch,
    "label": Label,
    "feedback": Feedback,
    "telemetry": Telemetry,
    "model": Model,
}
_DECODERS = {name: msgspec.json.Decoder(event).decode for name, event in _TYPES.items()}

#: Bytes of an event that is looked at the short way first.
SHORT = 1024

#: How the topic of predictions ends.
_ASKED = f".{PREDICTIONS.name}"

_model = attrgetter("model")
_RAW_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode(record: LogRecord) -> AnyEvent | DeadLetter:
    """Decode one record. Never raises, whatever its bytes are."""
    taken = _take(record)
    return taken if isinstance(taken, DeadLetter) else taken[1]


def decode_records(records: Sequence[LogRecord], shapes: Shapes | None = None) -> Decoded:
    """Decode a chunk in one pass. Never raises, whatever its bytes are.

    Each record is judged by itself: a chunk in pieces gives the same events and dead letters.
    ``shapes`` are what is known of events that came before; they change the time that it takes.
    """
    shapes = Shapes() if shapes is None else shapes
    columns, gathered = RecordColumns.of(records), _Gathered()
    asked = {topic: topic.endswith(_ASKED) for topic in {*columns.topics}}
    whole = all(asked.values())
    for start in range(0, len(records), BLOCK):
        block = columns.part(start, start + BLOCK)
        rows: Sequence[int] = range(start, start + len(block))
        if not whole:
            # Predictions and labels come by turns where labels are fast.
            rows = [row for row in rows if asked[columns.topics[row]]]
            block = columns.take(rows)
        plain = plain_predictions(block, shapes) if rows else None
        if plain is not None:
            gathered.extend(rows, plain)
            if whole:
                continue
        for row in range(start, min(start + BLOCK, len(records))):
            if plain is None or not asked[columns.topics[row]]:
                gathered.take(row, records[row])
    return gathered.decoded(columns)


class _Gathered:
    """What was decoded so far, in the order of the records."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._timestamps: list[float] = []
        self._weights: list[int] = []
        self._predictions: list[Prediction] = []
        self._sequences: list[tuple[int, str, bytes]] = []
        self._batches: list[BatchRow] = []
        self._dead: list[tuple[int, DeadLetter]] = []
        self._others: dict[type[AnyEvent], list[Row[Any]]] = {
            Label: [],
            Feedback: [],
            Telemetry: [],
            Model: [],
        }

    def extend(self, rows: Sequence[int], plain: Plain) -> None:
        """Take a block's predictions that are plain, ``rows`` their records' indices."""
        n = len(plain.events)
        self._rows += rows
        self._timestamps += plain.timestamps
        self._weights += [1] * n
        self._predictions += plain.events
        if plain.sequences:
            models = map(_model, plain.events)
            self._sequences += zip(rows, models, plain.sequences, strict=True)

    def take(self, index: int, record: LogRecord) -> None:
        """Take one record."""
        taken = _take(record)
        if isinstance(taken, DeadLetter):
            self._dead.append((index, taken))
            return
        timestamp, event = taken
        weight = 1
        if record.headers:
            sequence, weight = delivery(record)
            if sequence is not None:
                self._sequences.append((index, event.model, sequence))
        if type(event) is Prediction:
            self._rows.append(index)
            self._timestamps.append(timestamp)
            self._weights.append(weight)
            self._predictions.append(event)
        elif type(event) is PredictionBatch:
            times = _row_times(event, timestamp, record)
            if isinstance(times, DeadLetter):
                self._dead.append((index, times))
                return
            stamp = record.timestamp or timestamp
            self._batches.append(BatchRow(index, record.offset, times, stamp, weight, event))
        else:
            self._others[type(event)].append(Row(index, timestamp, event))

    def decoded(self, records: RecordColumns) -> Decoded:
        """All of it; ``records`` are those that it came from."""
        rows = np.array(self._rows, dtype=np.int64)
        return Decoded(
            records=records,
            rows=rows,
            offsets=records.offsets[rows],
            timestamps=np.array(self._timestamps, dtype=np.float64),
            record_timestamps=records.times[rows],
            weights=np.array(self._weights, dtype=np.int64),
            models=list(map(_model, self._predictions)),
            predictions=self._predictions,
            batches=self._batches,
            labels=self._others[Label],
            feedback=self._others[Feedback],
            telemetry=self._others[Telemetry],
            model_events=self._others[Model],
            dead=self._dead,
            sequences=self._sequences,
        )


def _take_short(record: LogRecord) -> tuple[float, AnyEvent] | None:
    """A short bare event with nothing unusual about it; None for all else, which is no verdict.

    Nearly all labels are such, and half of what they cost was looking for what they have not.
    """
    value, stamp = record.value, record.timestamp
    if (
        value is None
        or stamp is None
        or not stamp >= 0.0
        or len(value) > SHORT
        or not value.isascii()
        or b"[" in value
        or value.count(b"{") > MAX_DEPTH
    ):
        return None
    try:
        event = _DECODERS[bare_event(record.topic)](value)
    except Exception:
        # The long way finds it too, and says what it is.
        return None
    timestamp = event.timestamp
    if timestamp is None:
        return stamp, event
    if (
        type(timestamp) is float
        and 0.0 <= timestamp <= stamp + MAX_LEAD_SECONDS
        and timestamp < FIRST_MILLISECONDS
    ):
        return timestamp, event
    return None


def _take(record: LogRecord) -> tuple[float, AnyEvent] | DeadLetter:
    if not record.headers and (short := _take_short(record)) is not None:
        return short
    try:
        kind, payload = unwrap(record)
        check_depth(payload)
        event = _parse(kind, payload)
        stamp = record.timestamp
        timestamp = event.timestamp
        # Nearly all events: seconds, and neither far ahead nor before 1970.
        if (
            type(timestamp) is float
            and stamp is not None
            and 0.0 <= timestamp <= stamp + MAX_LEAD_SECONDS
            and timestamp < FIRST_MILLISECONDS
        ):
            return timestamp, event
        # Nearly all labels: no time of their own, and no envelope that could have one.
        if timestamp is None and not record.headers and stamp is not None and stamp >= 0.0:
            return stamp, event
        return _event_time(event, record), event
    except Refused as refusal:
        reason, error = refusal.reason, refusal.error
    # What no limit above foresaw (RecursionError, MemoryError) must cost one record, not the
    # worker: it would read the same record again after each restart.
    except Exception as unforeseen:
        reason, error = "decode", f"could not be read: {type(unforeseen).__name__}"
    return DeadLetter(record, reason, error.encode()[:MAX_ERROR_BYTES].decode(errors="ignore"))


def _parse(kind: str, payload: bytes) -> AnyEvent:
    # msgspec does not look into strings of fields that it skips.
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise Refused("decode", f"not UTF-8 (byte {error.start})") from None
    try:
        return _DECODERS[kind](payload)
    except msgspec.ValidationError:
        return _parse_again(kind, payload)
    except msgspec.DecodeError as error:
        raise Refused("decode", broken_json(error, payload)) from None


def _parse_again(kind: str, payload: bytes) -> AnyEvent:
    """Judge a refused event once more, by the last of its duplicate fields.

    The typed decoder judges each of them, the contract's models only the last. That is worth a
    second look, because refused events are few.
    """
    try:
        single = _last_of_duplicates(payload)
        return _DECODERS[kind](single)
    except msgspec.ValidationError as error:
        told = wrong_content(error, _TYPES[kind], single)
    except msgspec.DecodeError as error:
        # The typed decoder gave up at a wrong field, before it came to where the JSON breaks off.
        raise Refused("decode", broken_json(error, payload)) from None
    raise Refused("schema", told)


def _last_of_duplicates(payload: bytes) -> bytes:
    try:
        fields = _RAW_FIELDS(payload)
        # The two fields that may hold a scored label, whose own fields follow the same rule.
        for name in ("output", "label"):
            if bytes(fields.get(name, b"")).lstrip().startswith(b"{"):
                fields[name] = msgspec.Raw(msgspec.json.encode(_RAW_FIELDS(fields[name])))
    except msgspec.ValidationError:
        return payload
    return msgspec.json.encode(fields)


def _row_times(
    event: PredictionBatch, common: float, record: LogRecord
) -> NDArray[np.float64] | DeadLetter:
    """Event time of every row of a batch; a row without one has the batch's."""
    given = event.timestamp
    n = len(event.prediction_id)
    if not isinstance(given, list):
        return np.full(n, common)
    times = np.array([common if each is None else to_seconds(each) for each in given])
    ahead = float(times.max()) - (record.timestamp or common)
    if ahead > MAX_LEAD_SECONDS:
        row = int(times.argmax())
        return DeadLetter(
            record,
            "future",
            f"timestamp of row {row}: lies {ahead:,.0f} s ahead of its record,"
            f" at most {MAX_LEAD_SECONDS:.0f} s are taken; set the sender's clock",
        )
    return times


def _event_time(event: AnyEvent, record: LogRecord) -> float:
    """The event's own time, else the envelope's, else the record's."""
    stamp = record.timestamp
    if stamp is None or not stamp >= 0.0:
        raise Refused(
            "schema",
            "the record has no timestamp, so nothing tells a wrong clock;"
            " let the producer or the topic (message.timestamp.type) stamp records",
        )
    field = "observed_at" if isinstance(event, Label) else "timestamp"
    given = event.timestamp
    if given is None or isinstance(given, list):
        # A batch with a time for each row: this one is for rows without.
        ce_time = attribute(record, "ce_time")
        if ce_time is None:
            return stamp
        field, given = "ce_time", ce_time.decode("ascii", errors="replace")
    try:
        seconds = to_seconds(given)
    except ValueError as error:
        raise Refused("schema", f"{field}: {error}") from None
    if seconds > stamp + MAX_LEAD_SECONDS:
        raise Refused(
            "future",
            f"{field}: lies {seconds - stamp:,.0f} s ahead of its record,"
            f" at most {MAX_LEAD_SECONDS:.0f} s are taken; set the sender's clock",
        )
    return seconds
