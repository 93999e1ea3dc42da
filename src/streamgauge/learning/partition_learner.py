"""The learner's partition processor: records of one partition number to models that learn."""

from __future__ import annotations

import itertools
import math
import pickle
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import batches_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.batch.decoded import Decoded
from streamgauge.batch.shapes import Shapes
from streamgauge.labels import Truth
from streamgauge.learning.facts import PART, LearnedFacts
from streamgauge.learning.model_events import ACTOR, event_of
from streamgauge.learning.model_learner import Decided, ModelLearner
from streamgauge.learning.promotion import Decision, Guards
from streamgauge.learning.told import alarm_told
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

Floats = NDArray[np.float64]
#: What reading a state raises that is sealed, yet another version's: of ours, or of River.
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError, ImportError, EOFError),
    pickle.UnpicklingError,
)

#: An event that is to be published: its record, whether that is another model's, and its model.
_Told = tuple[int, bool, str, ModelEvent]


class PartitionLearner:
    """Learns for every model of one partition number whose spec lets anything learn.

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
        #: What makes decoding fast; not in the state.
        self._shapes = Shapes()
        self._written = b""

    # -- the protocol ------------------------------------------------------------------------

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        parts: dict[str, dict[str, bytes]] = {}
        for field, blob in blobs.items():
            if not blob:
                continue
            model, dot, part = field.partition(".")
            parts.setdefault(model, {})[part if dot else ""] = blob
        for field, own in parts.items():
            try:
                if field == PARTITION_FIELD:
                    self._log_time = self._opened(own[""])
                else:
                    self._restore_model(own)
            except _UNREADABLE as error:
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
        decoded = decode_records(records, self._shapes)
        cuts = self._cuts(records, decoded, reached)
        if cuts:
            for start, end in itertools.pairwise([0, *cuts, len(records)]):
                effects.extend(self.process(records[start:end]))
            return effects
        told: list[_Told] = []
        self._configure_all(float(reached[0]), told)
        if records[0].topic == self._alarms:
            self._take_alarm(records[0], float(reached[0]), told, effects)
        elif decoded.model_events:
            self._take_model_event(decoded.model_events[0].event, float(reached[0]), told)
            _count(effects, "model", "ok")
        else:
            self._take(records, decoded, reached, told)
            self._count(decoded, effects)
        self._log_time = max(self._log_time, float(reached[-1]))
        self._run_on(reached, told)
        # As record by record: a record's own model first, then those that its time moved.
        told.sort(key=lambda each: each[:3])
        effects.events += [event for *_, event in told]
        return effects

    def advance(self, log_time: float) -> Effects:
        effects = Effects()
        if log_time > self._log_time:
            told: list[_Told] = []
            for model in sorted(self._models):
                if self._models[model].due(log_time):
                    decided = self._models[model].advance(log_time)
                    self._tell(model, decided, told)
            effects.events += [event for *_, event in told]
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

    def _cuts(self, records: Sequence[LogRecord], decoded: Decoded, reached: Floats) -> list[int]:
        """Records that are taken by themselves: alarms, model events, and the first of a spec."""
        cuts = {row for row, record in enumerate(records) if record.topic == self._alarms}
        cuts |= {row.row for row in decoded.model_events}
        cuts |= {row + 1 for row in cuts}
        named = {*decoded.models, *(each.event.model for each in decoded.batches)}
        named |= {each.event.model for each in decoded.labels}
        for model in named | self._models.keys():
            for version in self._newer(model):
                cuts.add(int(np.searchsorted(reached, version.effective_at)))
        return sorted(cut for cut in cuts if 0 < cut < len(records))

    def _newer(self, model: str) -> Iterable[Configuration]:
        number = self._numbers.get(model, -1)
        return [each for each in self._book.versions(model) if each.number > number]

    def _configure_all(self, log_time: float, told: list[_Told]) -> None:
        for model in sorted(self._models):
            due = [each for each in self._newer(model) if each.effective_at <= log_time]
            if due:
                decisions = self._models[model].configure(due[-1].spec, at=log_time)
                self._numbers[model] = due[-1].number
                self._tell(model, [Decided(-1, each) for each in decisions], told)

    def _take(
        self,
        records: Sequence[LogRecord],
        decoded: Decoded,
        reached: Floats,
        told: list[_Told],
    ) -> None:
        batches = batches_by_model(decoded)
        labels: dict[str, list[tuple[int, str, Truth]]] = {}
        for label in decoded.labels:
            event = label.event
            truth = Truth.of(event, label.timestamp)
            labels.setdefault(event.model, []).append((label.row, event.prediction_id, truth))
        for model in sorted(batches.keys() | labels.keys()):
            if model not in self._models and not self._begin(model, float(reached[-1])):
                continue
            learner, own = self._models[model], labels.get(model, [])
            parts = batches.get(model, [])
            decided = learner.take(parts, own, reached)
            brought = [(row, 0) for part in parts for row in dict.fromkeys(part.row.tolist())]
            brought += [(row, 1) for row, _, _ in own]
            observed = self._observed(learner, sorted(brought), records, decided, reached)
            rows = {row for row, _ in brought}
            self._tell(model, decided, told, own=rows, events=observed)

    def _observed(
        self,
        learner: ModelLearner,
        rows: Sequence[tuple[int, int]],
        records: Sequence[LogRecord],
        decided: Sequence[Decided],
        reached: Floats,
    ) -> list[tuple[int, ModelEvent]]:
        """Tell the retraining policy which records there were: it says what to train on."""
        if not learner.advice.wanted:
            return []
        steps = [(row, 0, labels) for row, labels in rows]
        steps += [(row, 1, 0) for row, each in decided if each.after == "promoted"]
        events: list[tuple[int, ModelEvent]] = []
        for row, promoted, labels in sorted(steps):
            at = float(reached[row])
            if promoted:
                found = learner.advice.promoted(at)
            else:
                record = records[row]
                place = (record.topic, record.partition, record.offset)
                found = learner.advice.observe(at, *place, labels=labels)
            events += [(row, each) for each in found]
        return events

    def _tell(
        self,
        model: str,
        decided: Sequence[Decided],
        told: list[_Told],
        *,
        own: Collection[int] = (),
        events: Sequence[tuple[int, ModelEvent]] = (),
    ) -> None:
        """Note what came of a model's records: what, by which record, and in which order."""
        self._dirty.add(model)
        found = [(row, event_of(decision)) for row, decision in decided]
        for row, event in [*found, *events]:
            told.append((row, row not in own, model, event))

    def _count(self, decoded: Decoded, effects: Effects) -> None:
        kinds = (
            ("prediction", decoded.models),
            ("prediction_batch", [each.event.model for each in decoded.batches]),
            ("label", [each.event.model for each in decoded.labels]),
        )
        for kind, models in kinds:
            for model, n in Counter(models).items():
                _count(effects, kind, "ok" if model in self._models else "skipped", n)
        others = len(decoded.telemetry) + len(decoded.feedback) + len(decoded.dead)
        if others:
            _count(effects, "other", "skipped", others)

    def _begin(self, model: str, log_time: float) -> bool:
        """Begin to learn for a model if its spec lets anything learn; False where it does not.

        A chunk is cut where specs take effect, so the same one holds for all of it.
        """
        applied = [v for v in self._book.versions(model) if v.effective_at <= log_time]
        if not applied or not applied[-1].spec.learning.learns:
            return False
        self._models[model] = ModelLearner(applied[-1].spec)
        self._numbers[model] = applied[-1].number
        return True

    def _numbered(self, model: str, number: int) -> Configuration:
        for version in self._book.versions(model):
            if version.number == number:
                return version
        raise KeyError(f"the spec of {model!r}, version {number}, is gone from the store; apply it")

    def _take_alarm(
        self, record: LogRecord, log_time: float, told: list[_Told], effects: Effects
    ) -> None:
        alarm = alarm_told(record)
        learner = self._models.get(alarm.model) if alarm is not None else None
        _count(effects, "alarm", "ok" if learner is not None else "skipped")
        if learner is None or alarm is None:
            return
        before = learner.championship.champion
        decisions: list[Decision] = []
        if alarm.kind == "data_quality":
            learner.quality_alarm(alarm.fingerprint, firing=alarm.firing, at=log_time)
            guards = Guards(data_quality_alarm=bool(learner.broken))
            decisions += learner.championship.guard(learner.candidates, log_time, guards)
        if alarm.kind in ("data_quality", "feature_drift"):
            decisions += learner.input_alarm(alarm.fingerprint, firing=alarm.firing, at=log_time)
        elif alarm.kind == "concept_drift" and alarm.firing:
            decisions += learner.concept_drift(at=log_time)
        events = learner.advice.alarm(alarm, log_time)
        if learner.championship.champion != before:
            events += learner.advice.promoted(log_time)
        self._tell(
            alarm.model,
            [Decided(0, each) for each in decisions],
            told,
            events=[(0, each) for each in events],
        )

    def _take_model_event(self, event: Any, log_time: float, told: list[_Told]) -> None:
        """A person promoted a version, went back, or asked for a retraining."""
        learner, by = self._models.get(event.model), event.actor or "somebody"
        if learner is None or event.actor == ACTOR:
            return
        events: list[ModelEvent] = []
        decided: list[Decided] = []
        if event.action == "retrain_requested":
            events += learner.advice.by_hand(log_time, by)
        elif event.action in ("promoted", "rolled_back"):
            name, contest = str((event.data or {}).get("pipeline", "")), learner.championship
            before = contest.champion
            decisions = contest.by_hand(name, learner.candidates, log_time, by)
            decided += [Decided(0, each) for each in decisions]
            if contest.champion != before:
                events += learner.advice.promoted(log_time)
        else:
            return
        self._tell(event.model, decided, told, events=[(0, each) for each in events])

    def _run_on(self, reached: Floats, told: list[_Told]) -> None:
        """Let the log's time pass for models that no record of the chunk was of."""
        for model in sorted(self._models):
            learner = self._models[model]
            if learner.due(self._log_time):
                decided = learner.take([], [], reached)
                events = self._observed(learner, [], [], decided, reached)
                self._tell(model, decided, told, events=events)


def _count(effects: Effects, kind: str, outcome: str, n: int = 1) -> None:
    effects.counts[kind, outcome] = effects.counts.get((kind, outcome), 0) + n
