"""The monitor's partition processor: records of one partition number to models, alarms, views."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, batches_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.batch.decoded import Decoded, Row
from streamgauge.batch.record_columns import RecordColumns
from streamgauge.batch.shapes import Shapes
from streamgauge.batch.structs import Label
from streamgauge.labels import Truth
from streamgauge.monitor.acts import Act
from streamgauge.monitor.chunk_cuts import RETIRED, Batches, cuts
from streamgauge.monitor.client_intake import take_clients
from streamgauge.monitor.configuration import Configuration, ConfigurationBook
from streamgauge.monitor.feature_budget import FeatureBudget
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.view import model_view
from streamgauge.processing import Changes, Effects, LogRecord, StateError
from streamgauge.state.keys import PARTITION_FIELD, model_id
from streamgauge.state.packing import pack, unpack
from streamgauge_client.topics import DEFAULT_PREFIX, PREDICTIONS, SOURCES

#: Models that one partition monitors; a producer that invents names ends here, counted.
MOST_MODELS = 2000
#: Bytes of records whose events may wait to be counted; decoded they are two or three times that.
MOST_WAITING_BYTES = 64 * 1024 * 1024
#: Of the state's layout. A worker refuses what it does not know.
SCHEMA = 5
#: Behind a model's field: the part of its state that changes by the hour.
SLOW = ".slow"
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
        self._budget = FeatureBudget()
        self._shapes = Shapes()
        self._log_time = -math.inf
        self._dropped = 0
        #: Bytes of the records since nothing waited.
        self._waiting_bytes = 0
        self._dirty: set[str] = set()
        self._written = b""

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        blobs = {field: blob for field, blob in blobs.items() if blob}
        parts = _parts_of(blobs)
        for field, blob in blobs.items():
            if "." in field:
                continue
            try:
                state = self._opened(blob)
                if field == PARTITION_FIELD:
                    self._log_time, self._dropped = state
                else:
                    slow = blobs.get(field + SLOW)
                    monitor = ModelMonitor.from_state(
                        state,
                        self._opened(slow) if slow is not None else None,
                        self._numbered,
                        topic=self._topic,
                        partition=self._partition,
                        budget=self._budget,
                    )
                    own = parts.get(field, {})
                    monitor.truth.restore({n: self._opened(own[n]) for n in own if n != SLOW[1:]})
                    self._models[monitor.model] = monitor
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise StateError(f"state field {field} can't be read: {error}") from error
        for monitor in self._models.values():
            # Nothing can be due: what was, was closed before the state was written.
            monitor.watermark.advance(self._log_time)

    def _opened(self, blob: bytes) -> Any:
        schema, state = unpack(blob, key=self._key)
        if schema != SCHEMA:
            raise StateError(f"state of schema {schema}; this version reads {SCHEMA}")
        return state

    def process(self, records: Sequence[LogRecord]) -> Effects:
        effects = Effects()
        if not records:
            return effects
        decoded = decode_records(records, self._shapes)
        batches = batches_by_model(decoded)
        before, reached = self._log_times(decoded.records)
        parts_at = cuts(
            decoded,
            batches,
            reached,
            models=self._models,
            book=self._book,
            features_left=self._budget.left,
        )
        if parts_at:
            for start, end in itertools.pairwise([0, *parts_at, len(records)]):
                effects.extend(self.process(records[start:end]))
            return effects
        self._begin(reached)
        made_at = self._claim(decoded, batches, reached)
        taken = take_clients(self._models, decoded, records, made_at=made_at, reached=reached)
        for beat in decoded.telemetry:
            known = beat.event.model in self._models
            _count(effects, "telemetry", "ok" if known else "skipped", 1)
        self._retire(decoded, effects, taken)
        acts = self._acts(decoded, effects)
        for model, parts in batches.items():
            monitor = self._models.get(model)
            if monitor is None:
                for batch in parts:
                    _count(effects, batch.kind, "skipped", batch.records_of(len(batch)))
                    self._dropped += len(batch)
                continue
            self._take(monitor, parts, acts.pop(model, []), (before, reached), effects)
            taken.add(model)
        for model, done in acts.items():
            self._models[model].act(done, [], before)
            taken.add(model)
        self._take_labels(decoded, reached, effects, taken)
        for _, letter in decoded.dead:
            _count(effects, _kind(letter.record.topic), "dead", 1)
            effects.dead_letters.append(letter)
        self._dirty |= taken
        self._log_time = float(reached[-1])
        self._run_on(self._log_time, effects)
        self._waiting_bytes += decoded.records.size
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self.settle()
        return effects

    def settle(self) -> None:
        """Let no event wait to be counted with others: how many do is the producers' choice."""
        for monitor in self._models.values():
            monitor.settle()
            monitor.truth.give()
        self._waiting_bytes = 0

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
            if monitor.slow_changed:
                blobs[field + SLOW] = pack([SCHEMA, monitor.slow_state()], key=self._key)
            for name, part in monitor.truth.changes().items():
                # Nothing is how a store is told that a field is gone.
                gone = part is None
                blobs[f"{field}.{name}"] = b"" if gone else pack([SCHEMA, part], key=self._key)
            views[field] = _view(monitor)
        self._dirty, self._waiting_bytes = set(), 0
        own = pack([SCHEMA, [self._log_time, self._dropped]], key=self._key)
        if own != self._written:
            blobs[PARTITION_FIELD] = self._written = own
        gauges = {"models": float(len(self._models)), "models_dropped": float(self._dropped)}
        return Changes(blobs, views, gauges)

    def views(self) -> Mapping[str, bytes]:
        return {model_id(name): _view(monitor) for name, monitor in self._models.items()}

    def _begin(self, reached: Floats) -> None:
        """Tell models the first time of the log: labels may have come before any prediction."""
        if self._log_time == -math.inf and math.isfinite(began := _first_time(reached)):
            for monitor in self._models.values():
                monitor.truth.begin(began)

    def _log_times(self, records: RecordColumns) -> tuple[Floats, Floats]:
        """Log time before and after each record, shape (n,). Only predictions move it."""
        kinds = {topic: _kind(topic) == "prediction" for topic in {*records.topics}}
        moving = np.isfinite(records.times)
        if not all(kinds.values()):
            moving &= np.array([kinds[topic] for topic in records.topics])
        times = np.where(moving, records.times, -math.inf)
        running = np.maximum.accumulate(np.concatenate(([self._log_time], times)))
        return running[:-1], running[1:]

    def _claim(self, decoded: Decoded, batches: Batches, reached: Floats) -> dict[str, int]:
        """Make monitors for new models, in log order: places in the catalogue are few.

        Returns the rows at which they were made.
        """
        first = {model: int(parts[0].row[0]) for model, parts in batches.items()}
        others = [(label.row, label.event.model) for label in decoded.labels]
        others += [(feedback.row, feedback.event.model) for feedback in decoded.feedback]
        others += [(beat.row, beat.event.model) for beat in decoded.telemetry]
        for row, model in others:
            first[model] = min(row, first.get(model, row))
        fresh = sorted((row, model) for model, row in first.items() if model not in self._models)
        made_at = {model: row for row, model in fresh[: MOST_MODELS - len(self._models)]}
        for model, row in made_at.items():
            applied = [
                version
                for version in self._book.versions(model)
                if version.effective_at <= float(reached[row])
            ]
            self._models[model] = ModelMonitor(
                model,
                applied[-1] if applied else self._book.default(model),
                topic=self._topic,
                partition=self._partition,
                budget=self._budget,
            )
        return made_at

    def _retire(self, decoded: Decoded, effects: Effects, taken: set[str]) -> None:
        """Take the retirement with which a chunk begins."""
        for row in decoded.model_events:
            monitor = self._models.get(row.event.model)
            if monitor is not None and row.event.action == RETIRED:
                effects.events += monitor.retire(row.event.version)
                taken.add(monitor.model)

    def _take(
        self,
        monitor: ModelMonitor,
        batches: Sequence[EventBatch],
        acts: Sequence[Act],
        log_times: tuple[Floats, Floats],
        effects: Effects,
    ) -> None:
        """Take a model's predictions and what users did, spec by spec.

        ``log_times`` are the log's times before and after each record.
        """
        before, reached = log_times
        spans = self._spans(monitor, batches, reached)
        starts = [int(parts[0].row[0]) for newer, parts in spans if newer is not None]
        for (newer, parts), until in zip(spans, [*starts, len(reached)], strict=True):
            if newer is not None:
                # First what time has closed by now, under the spec that held until now.
                effects.events += monitor.advance(float(before[parts[0].row[0]])) or []
                effects.events += monitor.configure(newer)
            done = [act for act in acts if act.row < until]
            acts = acts[len(done) :]
            if done:
                monitor.act(done, parts, before)
            for part in parts:
                late = monitor.lateness.total
                effects.events += monitor.observe(part, before[part.row])
                behind = part.records_of(monitor.lateness.total - late)
                _count(effects, part.kind, "late", behind)
                _count(effects, part.kind, "ok", part.records_of(len(part)) - behind)

    def _spans(
        self, monitor: ModelMonitor, batches: Sequence[EventBatch], reached: Floats
    ) -> list[tuple[Configuration | None, list[EventBatch]]]:
        """Batches by the spec that holds for them: None for the one in force, which comes first."""
        spans: list[tuple[Configuration | None, list[EventBatch]]] = [(None, [])]
        waiting = [
            version
            for version in self._book.versions(monitor.model)
            if version.number > monitor.configuration.number
        ]
        for batch in batches:
            for part in _parts(batch, waiting, reached):
                log_time = float(reached[part.row[0]])
                due = [version for version in waiting if version.effective_at <= log_time]
                if due:
                    waiting = [each for each in waiting if each.number > due[-1].number]
                    spans.append((due[-1], []))
                spans[-1][1].append(part)
        return spans

    def _take_labels(
        self, decoded: Decoded, reached: Floats, effects: Effects, taken: set[str]
    ) -> None:
        """Take labels after the predictions of the chunk; the join knows which came first."""
        by_model: dict[str, list[Row[Label]]] = {}
        for label in decoded.labels:
            by_model.setdefault(label.event.model, []).append(label)
        for model, labels in by_model.items():
            monitor = self._models.get(model)
            _count(effects, "label", "ok" if monitor is not None else "skipped", len(labels))
            if monitor is None:
                continue
            monitor.labels += len(labels)
            rows = [label.row for label in labels]
            monitor.truth.label(
                [label.event.prediction_id for label in labels],
                [Truth.of(label.event, label.timestamp) for label in labels],
                np.maximum(reached[rows], _first_time(reached)).tolist(),
                rows,
            )
            taken.add(model)
            events = monitor.truth.advance(float(reached[-1]), heard=True)
            effects.events += events or []
        _count(effects, "model", "ok", len(decoded.model_events))

    def _acts(self, decoded: Decoded, effects: Effects) -> dict[str, list[Act]]:
        """What users did, by model, in log order."""
        acts: dict[str, list[Act]] = {}
        for row in decoded.feedback:
            event = row.event
            known = event.model in self._models
            _count(effects, "feedback", "ok" if known else "skipped", 1)
            if known:
                subject = event.interaction_id or event.prediction_id or ""
                named = event.interaction_id is not None
                act = Act(row.row, row.timestamp, event.kind, subject, named)
                acts.setdefault(event.model, []).append(act)
        return acts

    def _run_on(self, log_time: float, effects: Effects) -> None:
        for model, monitor in self._models.items():
            for events in (monitor.advance(log_time), monitor.truth.advance(log_time)):
                if events is not None:
                    effects.events += events
                    self._dirty.add(model)

    def _numbered(self, model: str, number: int) -> Configuration:
        for version in self._book.versions(model):
            if version.number == number:
                return version
        # Its spec is gone from the store: the default, under the number that was in force.
        return replace(self._book.default(model), number=number)


def _parts_of(blobs: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The parts of each model's state beside its own field, by field and part."""
    parts: dict[str, dict[str, bytes]] = {}
    for field, blob in blobs.items():
        model, dot, part = field.partition(".")
        if dot:
            parts.setdefault(model, {})[part] = blob
    return parts


def _view(monitor: ModelMonitor) -> bytes:
    return model_view(monitor).model_dump_json().encode()


def _parts(
    batch: EventBatch, waiting: Sequence[Configuration], reached: Floats
) -> Iterator[EventBatch]:
    """Cut a batch where newer specs take effect."""
    times = reached[batch.row]
    cuts = {int(np.searchsorted(times, version.effective_at)) for version in waiting}
    inner = sorted(cut for cut in cuts if 0 < cut < len(batch))
    for start, end in itertools.pairwise([0, *inner, len(batch)]):
        yield batch.slice(start, end) if inner else batch


def _first_time(reached: Floats) -> float:
    """The first finite log time; minus infinity where there is none."""
    return float(reached[int(np.argmax(np.isfinite(reached)))])


def _count(effects: Effects, kind: str, outcome: str, n: int) -> None:
    if n:
        effects.counts[(kind, outcome)] = effects.counts.get((kind, outcome), 0) + n


@lru_cache(maxsize=64)
def _kind(topic: str) -> str:
    name = topic.rpartition(".")[2]
    return KINDS.get(name, name)
