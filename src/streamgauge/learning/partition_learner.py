"""The learner's partition processor: records of one partition number to models that learn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from streamgauge.batch.columns import batches_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.batch.decoded import Decoded
from streamgauge.labels import Truth
from streamgauge.learning.facts import PART, LearnedFacts
from streamgauge.learning.model_learner import ModelLearner
from streamgauge.learning.promotion import Decision, Guards
from streamgauge.learning.told import Told, alarm_told
from streamgauge.learning.view import learner_view
from streamgauge.monitor.configuration import Configuration, ConfigurationBook
from streamgauge.processing import Changes, Effects, LogRecord, StateError
from streamgauge.state.keys import PARTITION_FIELD, model_id
from streamgauge.state.learner_views import SUFFIX
from streamgauge.state.packing import pack, unpack
from streamgauge_client.events import ModelEvent
from streamgauge_client.topics import ALARMS, DEFAULT_PREFIX, LABELS, MODELS, PREDICTIONS

#: Of the state's layout. A worker refuses what it does not know.
SCHEMA = 1
#: What the learner reads. Alarms come first: what they say of inputs holds for what follows.
SOURCES = (MODELS, ALARMS, PREDICTIONS, LABELS)
#: Who says so, in model events.
ACTOR = "learner"

Floats = NDArray[np.float64]

#: What a step is called among model events, where it changes no champion.
_ACTIONS = {"failed": "retired", "abandoned": "retired"}


class PartitionLearner:
    """Learns for every model of one partition number whose spec has challengers.

    See ``PartitionProcessor`` for the protocol. The monitor dead-letters: what can't be read is
    counted as skipped here.

    Parameters
    ----------
    partition
        The partition number.
    book
        Where specs come from.
    key
        Seals state blobs (HMAC-SHA-256). Models in them are unpickled, so it must not be empty.
    prefix
        Prefix of the topics.
    """

    def __init__(
        self, partition: int, *, book: ConfigurationBook, key: bytes, prefix: str = DEFAULT_PREFIX
    ) -> None:
        if not key:
            raise ValueError("models in the state are authenticated: set STREAMGAUGE_STATE__KEY")
        self._partition, self._book, self._key = partition, book, key
        self._alarms = ALARMS.under(prefix)
        self._predictions = PREDICTIONS.under(prefix)
        self._models: dict[str, ModelLearner] = {}
        self._numbers: dict[str, int] = {}
        self._log_time = -math.inf
        self._dirty: set[str] = set()
        self._written = b""

    # -- the protocol ------------------------------------------------------------------------

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        parts: dict[str, dict[str, bytes]] = {}
        for field, blob in blobs.items():
            model, dot, part = field.partition(".")
            parts.setdefault(model, {})[part if dot else ""] = blob
        for field, own in parts.items():
            try:
                if field == PARTITION_FIELD:
                    self._log_time = self._opened(own[""])
                else:
                    self._restore_model(own)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise StateError(f"state field {field} can't be read: {error}") from error

    def _restore_model(self, parts: Mapping[str, bytes]) -> None:
        name, number, state = self._opened(parts[""])
        learner = ModelLearner(self._numbered(name, number).spec)
        own = [part for part in parts if part and part != PART]
        learner.restore(state, {part: self._opened(parts[part]) for part in own})
        self._models[name], self._numbers[name] = learner, number

    def _opened(self, blob: bytes) -> Any:
        schema, state = unpack(blob, key=self._key)
        if schema != SCHEMA:
            raise StateError(f"state of schema {schema}; this version reads {SCHEMA}")
        return state

    def process(self, records: Sequence[LogRecord]) -> Effects:
        effects = Effects()
        if not records:
            return effects
        reached = self._log_times(records)
        for start, end in itertools.pairwise([0, *self._cuts(records, reached), len(records)]):
            self._chunk(records[start:end], reached[start:end], effects)
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
            learner, field = self._models[model], model_id(model)
            own = [model, self._numbers[model], learner.state()]
            blobs[field] = pack([SCHEMA, own], key=self._key)
            for name, part in learner.changed_parts().items():
                gone = part is None
                blobs[f"{field}.{name}"] = b"" if gone else pack([SCHEMA, part], key=self._key)
            facts = LearnedFacts.of(learner, self._numbers[model])
            blobs[f"{field}.{PART}"] = pack([SCHEMA, facts.state()], key=self._key)
            views[field + SUFFIX] = self._view(learner)
        self._dirty = set()
        own_state = pack([SCHEMA, self._log_time], key=self._key)
        if own_state != self._written:
            blobs[PARTITION_FIELD] = self._written = own_state
        return Changes(blobs, views, {"models": float(len(self._models))})

    def views(self) -> Mapping[str, bytes]:
        found = self._models.items()
        return {model_id(name) + SUFFIX: self._view(learner) for name, learner in found}

    def _view(self, learner: ModelLearner) -> bytes:
        return learner_view(learner, self._partition).model_dump_json().encode()

    # -- inside ------------------------------------------------------------------------------

    def _log_times(self, records: Sequence[LogRecord]) -> Floats:
        """The log's time after each record, shape (n,). Only predictions move it."""
        times = [
            record.timestamp
            if record.timestamp is not None and record.topic == self._predictions
            else -math.inf
            for record in records
        ]
        running = np.maximum.accumulate(np.concatenate(([self._log_time], times)))
        reached: Floats = running[1:]
        return reached

    def _cuts(self, records: Sequence[LogRecord], reached: Floats) -> list[int]:
        """Records that are taken by themselves: alarms, model events, and the first of a spec."""
        cuts: set[int] = set()
        for row, record in enumerate(records):
            if record.topic == self._alarms or record.topic.endswith(f".{MODELS.name}"):
                cuts |= {row, row + 1}
        for model in self._models:
            for version in self._newer(model):
                cuts.add(int(np.searchsorted(reached, version.effective_at)))
        return sorted(cuts - {0, len(records)} & set(range(1, len(records))))

    def _newer(self, model: str) -> Iterable[Configuration]:
        number = self._numbers[model]
        return [each for each in self._book.versions(model) if each.number > number]

    def _chunk(self, records: Sequence[LogRecord], reached: Floats, effects: Effects) -> None:
        if not records:
            return
        log_time = float(reached[0])
        for model in list(self._models):
            due = [each for each in self._newer(model) if each.effective_at <= log_time]
            if due:
                self._configure(model, due[-1])
        if records[0].topic == self._alarms:
            self._take_alarms(records, log_time, effects)
        else:
            self._take(records, reached, effects)
        self._log_time = max(self._log_time, float(reached[-1]))
        self._run_on(self._log_time, effects)

    def _configure(self, model: str, configuration: Configuration) -> None:
        self._models[model].configure(configuration.spec)
        self._numbers[model] = configuration.number
        self._dirty.add(model)

    def _take(self, records: Sequence[LogRecord], reached: Floats, effects: Effects) -> None:
        decoded = decode_records(records)
        batches = batches_by_model(decoded)
        labels: dict[str, list[tuple[int, str, Truth]]] = {}
        for label in decoded.labels:
            truth = Truth.of(label.event, label.timestamp)
            own = labels.setdefault(label.event.model, [])
            own.append((label.row, label.event.prediction_id, truth))
        for model in sorted(batches.keys() | labels.keys()):
            parts, own = batches.get(model, []), labels.get(model, [])
            learner = self._models.get(model)
            if learner is None:
                begun = self._begun(model, reached)
                if begun is None:
                    continue
                learner = self._models[model]
                parts = [each.take(np.flatnonzero(each.row >= begun)) for each in parts]
                parts = [each for each in parts if len(each)]
                own = [each for each in own if each[0] >= begun]
            decisions = learner.take(parts, own, reached)
            effects.events += _told(decisions)
            effects.events += self._observed(learner, decoded, records, reached)
            if any(each.after == "promoted" for each in decisions):
                effects.events += learner.advice.promoted(float(reached[-1]))
            self._dirty.add(model)
        for row in decoded.model_events:
            self._take_model_event(row.event, float(reached[row.row]), effects)
        self._count(decoded, batches.keys(), effects)

    def _observed(
        self,
        learner: ModelLearner,
        decoded: Decoded,
        records: Sequence[LogRecord],
        reached: Floats,
    ) -> list[ModelEvent]:
        """Tell the retraining policy which records there were: it says what to train on."""
        if not learner.advice.wanted:
            return []
        model, events = learner.spec.model, []
        rows = [
            (int(row), 0)
            for row, name in zip(decoded.rows.tolist(), decoded.models, strict=True)
            if name == model
        ]
        rows += [(each.row, 1) for each in decoded.labels if each.event.model == model]
        for row, labels in sorted(rows):
            record, at = records[row], float(reached[row])
            events += learner.advice.observe(
                at, record.topic, record.partition, record.offset, labels=labels
            )
        return events

    def _count(self, decoded: Decoded, models: Iterable[str], effects: Effects) -> None:
        del models
        for model in decoded.models:
            _count(effects, "prediction", "ok" if model in self._models else "skipped")
        for batch in decoded.batches:
            known = batch.event.model in self._models
            _count(effects, "prediction_batch", "ok" if known else "skipped")
        for label in decoded.labels:
            _count(effects, "label", "ok" if label.event.model in self._models else "skipped")
        for _ in decoded.model_events:
            _count(effects, "model", "ok")
        for _ in (*decoded.telemetry, *decoded.feedback, *decoded.dead):
            _count(effects, "other", "skipped")

    def _begun(self, model: str, reached: Floats) -> int | None:
        """Begin to learn for a model whose spec has challengers; return the record from which on.

        None for a model that learns nothing.
        """
        applied = [v for v in self._book.versions(model) if v.effective_at <= reached[-1]]
        if not applied or not applied[-1].spec.learning.challengers:
            return None
        self._models[model] = ModelLearner(applied[-1].spec)
        self._numbers[model] = applied[-1].number
        return int(np.searchsorted(reached, applied[-1].effective_at))

    def _numbered(self, model: str, number: int) -> Configuration:
        for version in self._book.versions(model):
            if version.number == number:
                return version
        raise KeyError(f"the spec of {model!r}, version {number}, is gone from the store; apply it")

    def _take_alarms(self, records: Sequence[LogRecord], log_time: float, effects: Effects) -> None:
        for record in records:
            told: Told | None = alarm_told(record)
            learner = self._models.get(told.model) if told is not None else None
            _count(effects, "alarm", "ok" if learner is not None else "skipped")
            if learner is None or told is None:
                continue
            if told.kind == "data_quality":
                learner.quality_alarm(told.fingerprint, firing=told.firing, at=log_time)
                guards = Guards(data_quality_alarm=bool(learner.broken))
                decisions = learner.championship.guard(learner.candidates, log_time, guards)
                effects.events += _told(decisions)
            if told.kind in ("data_quality", "feature_drift"):
                moved = learner.input_alarm(told.fingerprint, firing=told.firing, at=log_time)
                effects.events += _told(moved)
            elif told.kind == "concept_drift" and told.firing:
                effects.events += _told(learner.concept_drift(at=log_time))
            effects.events += learner.advice.alarm(told, log_time)
            self._dirty.add(told.model)

    def _take_model_event(self, event: Any, log_time: float, effects: Effects) -> None:
        """A person promoted a version, went back, or asked for a retraining."""
        learner = self._models.get(event.model)
        if learner is None or event.actor == ACTOR:
            return
        if event.action == "retrain_requested":
            effects.events += learner.advice.by_hand(log_time, event.actor or "somebody")
            self._dirty.add(event.model)
        if event.action not in ("promoted", "rolled_back"):
            return
        name = str((event.data or {}).get("pipeline", ""))
        decisions = learner.championship.by_hand(
            name, learner.candidates, log_time, event.actor or "somebody"
        )
        effects.events += _told(decisions)
        self._dirty.add(event.model)

    def _run_on(self, log_time: float, effects: Effects) -> None:
        for model, learner in self._models.items():
            if learner.due(log_time):
                effects.events += _told(learner.advance(log_time))
                self._dirty.add(model)


def _told(decisions: Iterable[Decision]) -> list[ModelEvent]:
    """Decisions as events: each names its evidence."""
    return [
        ModelEvent.model_validate(
            {
                "model": each.model,
                "version": each.challenger,
                "action": each.action or _ACTIONS.get(each.after, "snapshot"),
                "timestamp": each.time,
                "previous_version": each.champion,
                "actor": each.by or ACTOR,
                "reason": each.reason,
                "evidence": orjson.loads(orjson.dumps(each.as_dict())),
                "data": {"pipeline": each.challenger},
            }
        )
        for each in decisions
    ]


def _count(effects: Effects, kind: str, outcome: str) -> None:
    effects.counts[kind, outcome] = effects.counts.get((kind, outcome), 0) + 1
