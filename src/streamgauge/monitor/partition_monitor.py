"""The monitor's partition processor: records of one partition number to models, alarms, views."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, group_by_model
from streamgauge.batch.decode import Decoded, decode_records
from streamgauge.monitor.configuration import Configuration, ConfigurationBook
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.room import Room
from streamgauge.monitor.view import model_view
from streamgauge.processing import Changes, Effects, LogRecord, StateError
from streamgauge.state.keys import PARTITION_FIELD, model_id
from streamgauge.state.packing import pack, unpack
from streamgauge_client.topics import DEFAULT_PREFIX, PREDICTIONS, SOURCES

#: Models that one partition monitors; a producer that invents names ends here, counted.
MOST_MODELS = 2000
#: Of the state's layout. A worker refuses what it does not know.
SCHEMA = 1
KINDS = {topic.name: topic.event or topic.name for topic in SOURCES}

Floats = NDArray[np.float64]


class PartitionMonitor:
    """Monitors every model of one partition number. See ``PartitionProcessor`` for the protocol.

    Parameters
    ----------
    partition
        The partition number; alarms carry it as their shard.
    book
        Where configurations come from.
    key
        Seals state blobs (HMAC-SHA-256).
    prefix
        Prefix of the topics.
    """

    def __init__(
        self,
        partition: int,
        *,
        book: ConfigurationBook,
        key: bytes = b"",
        prefix: str = DEFAULT_PREFIX,
    ) -> None:
        self._partition, self._book, self._key = partition, book, key
        self._topic = PREDICTIONS.under(prefix)
        self._models: dict[str, ModelMonitor] = {}
        self._room = Room()
        self._log_time = -math.inf
        self._dropped = 0
        self._dirty: set[str] = set()
        self._written = b""

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        for field, blob in blobs.items():
            try:
                schema, state = unpack(blob, key=self._key)
                if schema != SCHEMA:
                    raise StateError(f"state of schema {schema}; this version reads {SCHEMA}")
                if field == PARTITION_FIELD:
                    self._log_time, self._dropped = state
                else:
                    monitor = ModelMonitor.from_state(
                        state,
                        self._numbered,
                        topic=self._topic,
                        partition=self._partition,
                        room=self._room,
                    )
                    self._models[monitor.model] = monitor
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise StateError(f"state field {field} can't be read: {error}") from error
        for monitor in self._models.values():
            # Nothing can be due: what was, was closed before the state was written.
            monitor.watermark.advance(self._log_time)

    def process(self, records: Sequence[LogRecord]) -> Effects:
        effects = Effects()
        if not records:
            return effects
        decoded = decode_records(records)
        batches = group_by_model(decoded)
        if len(records) > 1 and self._crowded(batches):
            # The last places go to who comes first in the log, so they are given in small steps.
            half = len(records) // 2
            effects = self.process(records[:half])
            effects.extend(self.process(records[half:]))
            return effects
        before, reached = self._log_times(records)
        taken: set[str] = set()
        for model, batch in batches.items():
            monitor = self._monitor(model, float(reached[batch.row[0]]))
            if monitor is None:
                _count(effects, "prediction", "skipped", len(batch))
                self._dropped += len(batch)
                continue
            late = monitor.late
            for part in self._configured(monitor, batch, reached):
                effects.events += monitor.observe(part, before[part.row])
            _count(effects, "prediction", "late", monitor.late - late)
            _count(effects, "prediction", "ok", len(batch) - (monitor.late - late))
            taken.add(model)
        self._take_others(decoded, reached, effects, taken)
        for _, letter in decoded.dead:
            _count(effects, _kind(letter.record.topic), "dead", 1)
            effects.dead_letters.append(letter)
        self._dirty |= taken
        self._log_time = float(reached[-1])
        self._run_on(self._log_time, effects)
        return effects

    def advance(self, log_time: float) -> Effects:
        effects = Effects()
        if log_time > self._log_time:
            self._run_on(log_time, effects)
        return effects

    def dirty(self) -> Changes:
        blobs: dict[str, bytes] = {}
        views: dict[str, bytes] = {}
        for model in sorted(self._dirty):
            monitor, field = self._models[model], model_id(model)
            blobs[field] = pack([SCHEMA, monitor.state()], key=self._key)
            views[field] = model_view(monitor).model_dump_json().encode()
        self._dirty = set()
        own = pack([SCHEMA, [self._log_time, self._dropped]], key=self._key)
        if own != self._written:
            blobs[PARTITION_FIELD] = self._written = own
        gauges = {"models": float(len(self._models)), "models_dropped": float(self._dropped)}
        return Changes(blobs, views, gauges)

    def _log_times(self, records: Sequence[LogRecord]) -> tuple[Floats, Floats]:
        """Log time before and after each record, shape (n,). Only predictions move it."""
        times = np.array(
            [
                record.timestamp
                if record.timestamp is not None
                and math.isfinite(record.timestamp)
                and _kind(record.topic) == "prediction"
                else -math.inf
                for record in records
            ],
            dtype=np.float64,
        )
        running = np.maximum.accumulate(np.concatenate(([self._log_time], times)))
        return running[:-1], running[1:]

    def _monitor(self, model: str, log_time: float) -> ModelMonitor | None:
        monitor = self._models.get(model)
        if monitor is None and len(self._models) < MOST_MODELS:
            applied = [v for v in self._book.versions(model) if v.effective_at <= log_time]
            configuration = applied[-1] if applied else self._book.default(model)
            monitor = self._models[model] = ModelMonitor(
                model,
                configuration,
                topic=self._topic,
                partition=self._partition,
                room=self._room,
            )
        return monitor

    def _crowded(self, batches: Mapping[str, EventBatch]) -> bool:
        """Whether new features of different models would compete for the last places."""
        left = self._room.left
        if not left:
            return False
        fresh = 0
        for model, batch in batches.items():
            monitor = self._models.get(model)
            fresh += (
                monitor.unknown_features(batch)
                if monitor is not None
                else len(set().union(*batch.features))
            )
            if fresh > left:
                return True
        return False

    def _configured(
        self, monitor: ModelMonitor, batch: EventBatch, reached: Floats
    ) -> Iterator[EventBatch]:
        """Cut a batch where a newer spec takes effect, and put that in force between the parts."""
        start = 0
        for version in self._book.versions(monitor.model):
            if version.number <= monitor.configuration.number:
                continue
            cut = int(np.searchsorted(reached[batch.row], version.effective_at))
            if cut >= len(batch):
                break
            if cut > start:
                yield batch.slice(start, cut)
            monitor.configure(version)
            start = cut
        yield batch.slice(start, len(batch))

    def _take_others(
        self, decoded: Decoded, reached: Floats, effects: Effects, taken: set[str]
    ) -> None:
        """Labels and feedback are validated and counted; joining them comes with the join."""
        for label in decoded.labels:
            monitor = self._monitor(label.event.model, float(reached[label.row]))
            if monitor is not None:
                monitor.labels += 1
                taken.add(monitor.model)
            _count(effects, "label", "ok" if monitor is not None else "skipped", 1)
        for feedback in decoded.feedback:
            monitor = self._monitor(feedback.event.model, float(reached[feedback.row]))
            if monitor is not None:
                # Names of one's own are the user's, and there may be any number of them.
                kind = feedback.event.kind.partition(":")[0]
                monitor.feedback[kind] = monitor.feedback.get(kind, 0) + 1
                taken.add(monitor.model)
            _count(effects, "feedback", "ok" if monitor is not None else "skipped", 1)
        _count(effects, "telemetry", "ok", len(decoded.telemetry))
        _count(effects, "model", "ok", len(decoded.model_events))

    def _run_on(self, log_time: float, effects: Effects) -> None:
        for model, monitor in self._models.items():
            events = monitor.advance(log_time)
            if events is not None:
                effects.events += events
                self._dirty.add(model)

    def _numbered(self, model: str, number: int) -> Configuration:
        for version in self._book.versions(model):
            if version.number == number:
                return version
        # Its spec is gone from the store: the default, under the number that was in force.
        return replace(self._book.default(model), number=number)


def _count(effects: Effects, kind: str, outcome: str, n: int) -> None:
    if n:
        effects.counts[(kind, outcome)] = effects.counts.get((kind, outcome), 0) + n


@lru_cache(maxsize=64)
def _kind(topic: str) -> str:
    name = topic.rpartition(".")[2]
    return KINDS.get(name, name)
