"""One model's learning on one partition: test, then train, record by record."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch
from streamgauge.labels import Amendment, Joined, JoinRule, LabelJoin, Truth
from streamgauge.labels.digest import digests
from streamgauge.learning.advice import RetrainAdvice
from streamgauge.learning.answers import Answers, Row, released_at, scorable
from streamgauge.learning.asking import Asked, admit
from streamgauge.learning.candidate import Candidate
from streamgauge.learning.championship import Championship
from streamgauge.learning.examples import SERVED, Examples, Said, Waiting
from streamgauge.learning.hold import Example
from streamgauge.learning.losses import LossBound
from streamgauge.learning.plain_linear import PlainLinear
from streamgauge.learning.promotion import Decision
from streamgauge.specs.model_spec import ModelSpec

#: How long predictions wait where the spec does not say, in seconds.
DEFAULT_HORIZON = 86_400.0
#: The part of the state that holds what the plain one beside has learned.
_PLAIN_PART = "t"
#: Newest inputs that are kept to test a stored model with.
MOST_TRIALS = 20


class Decided(NamedTuple):
    """A decision, and the record of the chunk by which it fell."""

    record: int
    decision: Decision


#: Something to do by a record: its record, 0 for a lesson and 1 for a comparison, and what.
_Step = tuple[int, int, Joined | Row]


class ModelLearner:
    """A pure function of its spec and its records: the same log gives the same models.

    Each prediction is answered by every candidate before its truth is known; each first truth is
    learned once, when it comes. Candidates are held against the answers that the model's service
    published, wherever it was trained, in prediction order.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.join = LabelJoin(self._rule(spec))
        self.join.joined = []
        self.examples = Examples()
        self.candidates = {name: Candidate(name, spec) for name in spec.learning.challengers}
        self.plain = PlainLinear.beside(spec)
        self.championship = Championship(spec.model)
        self.advice = RetrainAdvice(spec)
        self.bound = LossBound(spec.task or "")
        #: By the order of lessons, and by that of predictions.
        self.taught, self.compared = Answers(spec), Answers(spec)
        self.taught.bound = self.bound.bound
        #: Fingerprints of alarms that are open: on the quality of inputs, and on inputs at all.
        self.broken: set[str] = set()
        self.moved: set[str] = set()
        #: Examples learned by any candidate, and refused ones by reason.
        self.learned = 0
        self.champion_answered = 0
        self.champion_missed = 0.0
        self.last_inputs: deque[Mapping[str, Any]] = deque(maxlen=MOST_TRIALS)
        #: The log's time by the last record of this model.
        self.log_time = -math.inf
        self._gone: set[str] = set()
        self._plain_gone = False

    @staticmethod
    def _rule(spec: ModelSpec) -> JoinRule:
        horizon = spec.label_delay.max_seconds
        return JoinRule(
            DEFAULT_HORIZON if horizon is None else horizon,
            spec.labels.pending_max,
            spec.labels.implicit_negative_after_seconds,
        )

    def configure(self, spec: ModelSpec, *, at: float) -> list[Decision]:
        """Go by another spec from a log time on: candidates it drops are gone, others go on."""
        told: list[Decision] = []
        if spec.task != self.spec.task:
            # What was said and learned is of another kind: nothing of it is worth a comparison.
            told += self.championship.begin_anew(self.candidates, at, "the task changed")
            self.bound = LossBound(spec.task or "")
            self.taught.bound = self.bound.bound
            self.champion_answered, self.champion_missed = 0, 0.0
        self.spec = spec
        self.join.set_rule(self._rule(spec))
        self.taught.configure(spec)
        self.compared.configure(spec)
        dropped = self.candidates.keys() - spec.learning.challengers.keys()
        told += self.championship.drop(dropped, self.candidates, at)
        kept = {}
        for name in spec.learning.challengers:
            known = self.candidates.get(name)
            if known is None:
                known = Candidate(name, spec)
                if self.broken:
                    known.quality_alarm(True, at=at)
            else:
                told += self.championship.reconfigured(known, spec, at)
            kept[name] = known
        self._gone = (self._gone | dropped) - kept.keys()
        self.candidates = kept
        self._configure_plain(spec)
        self.advice.configure(spec)
        return told

    def _configure_plain(self, spec: ModelSpec) -> None:
        wanted = PlainLinear.beside(spec)
        if wanted is None or self.plain is None:
            self._plain_gone |= self.plain is not None
            self.plain = wanted
        else:
            self.plain.configure(spec)

    # -- a chunk -----------------------------------------------------------------------------

    def take(
        self,
        batches: Sequence[EventBatch],
        labels: Sequence[tuple[int, str, Truth]],
        reached: NDArray[np.float64],
    ) -> list[Decided]:
        """Take the predictions and labels of a chunk; without any, let its time pass.

        Labels come as (record, id, truth); ``reached`` (records,) is the log's time after each
        record of the chunk.
        """
        self.join.log_times = reached
        last = max([labels[-1][0] if labels else -1, *(int(b.row[-1]) for b in batches)])
        if last >= 0:
            self.log_time = max(self.log_time, float(reached[last]))
        asked = [each for batch in batches for each in admit(self.join, batch, reached)]
        if labels:
            records = [record for record, _, _ in labels]
            self.join.label(
                digests([name for _, name, _ in labels]),
                [truth for _, _, truth in labels],
                reached[records].tolist(),
                records,
            )
        return self.advance(float(reached[-1]), asked=asked)

    def advance(self, log_time: float, *, asked: Sequence[Asked] = ()) -> list[Decided]:
        """End a chunk at a log time: answer and learn in log order, then compare."""
        self.join.run_to(log_time)
        assert self.join.joined is not None
        lessons, self.join.joined = self.join.joined, []
        lessons.sort(key=itemgetter(0, 1, 2))
        steps: list[_Step] = [(each.record, 0, each) for each in lessons]
        came = {each.number: each.record for each in lessons}
        last = -1
        for part in self.join.take():
            # A contest has looked at what an amendment changes; it is not to look twice.
            if not isinstance(part, Amendment):
                records = released_at(part, came, self.join, last)
                last = records[-1]
                rows = zip(records, scorable(part), strict=True)
                steps += [(record, 1, row) for record, row in rows if row is not None]
        steps.sort(key=itemgetter(0, 1))
        decided = self._in_turn(asked, steps)
        self.examples.drop(self.join.table.first)
        self.join.log_times = np.zeros(0)
        return decided

    def due(self, log_time: float) -> bool:
        return self.join.due(log_time)

    def _in_turn(self, asked: Sequence[Asked], steps: Sequence[_Step]) -> list[Decided]:
        """Ask, teach and compare in the order of the log; both come in it.

        A record's predictions are asked first, then its lessons are taught, then the rows that it
        released are compared: who is champion, and which pipeline answers, holds from there on.
        """
        decided: list[Decided] = []
        place, n = 0, len(steps)
        upcoming = steps[0][0] if n else math.inf
        for each in asked:
            while upcoming < each.record:
                decided += self._step(steps[place])
                place += 1
                upcoming = steps[place][0] if place < n else math.inf
            self._ask(each)
        for step in steps[place:]:
            decided += self._step(step)
        return decided

    def _step(self, step: _Step) -> Iterable[Decided]:
        what = step[2]
        if isinstance(what, Joined):
            self._teach(what)
            return ()
        return [Decided(step[0], each) for each in self._compare(what)]

    def _ask(self, asked: Asked) -> None:
        said: dict[str, Said] = {SERVED: self.compared.said(asked.label, asked.score)}
        features = asked.features
        for candidate in self.candidates.values():
            candidate.say(features, said)
        if self.plain is not None:
            self.plain.say(features, said)
        self.examples.keep(asked.number, Waiting(features, said, asked.weight))
        self.last_inputs.append(features)

    def _teach(self, lesson: Joined) -> None:
        label, waiting = lesson.truth, self.examples.get(lesson.number)
        if waiting is None or (label is not None and label.withdrawn):
            return
        truth = self.taught.truth(label)
        if truth is None:
            return
        weight, source = waiting.weight, ""
        if label is not None:
            weight, source = weight * label.weight, label.annotator or ""
        example = Example(waiting.features, truth, weight, source)
        self.learned += 1
        if self.plain is not None and not self.broken:
            self.plain.learn(example, waiting.said, at=lesson.at)
        champion = self.championship.champion
        for name, candidate in self.candidates.items():
            reason = candidate.learn(example, at=lesson.at)
            if not reason and candidate.background is not None:
                candidate.beside(waiting.said, truth, self.taught)
            if not reason and name == champion:
                candidate.judged(waiting.said, truth, self.taught, by=example.source, at=lesson.at)
                every = self.spec.learning.snapshot.every_seconds
                candidate.gate.begin(candidate.pipeline, lesson.at, every)

    # -- comparisons -------------------------------------------------------------------------

    def _compare(self, row: Row) -> Sequence[Decision]:
        """Score champion and candidates on a released row, in prediction order, once."""
        answers = self.compared
        truth = answers.row_truth(row, self.join)
        if truth is None:
            return ()
        waiting = self.examples.get(row.number)
        if waiting is None:
            return ()
        champion = answers.lost(waiting.said.get(SERVED), truth)
        if champion is not None:
            self.champion_answered += 1
            self.champion_missed += champion
            if self.bound.bound is None:
                self.bound.look(champion)
                self.taught.bound = self.bound.bound
        if self.plain is not None:
            self.plain.compare(waiting.said, truth, answers)
        losses: dict[str, float | None] = {}
        for name, candidate in self.candidates.items():
            losses[name] = each = answers.lost(waiting.said.get(name), truth)
            if each is not None:
                candidate.scored(each)
        if self.moved or champion is None:
            return ()
        return self.championship.score(
            self.candidates, self.spec, row.logged, champion, losses, self.bound.bound
        )

    # -- what else happens -------------------------------------------------------------------

    def quality_alarm(self, fingerprint: str, *, firing: bool, at: float) -> None:
        """A data-quality alarm of this model began or ended, at a log time."""
        before = bool(self.broken)
        (self.broken.add if firing else self.broken.discard)(fingerprint)
        if before != bool(self.broken):
            for candidate in self.candidates.values():
                candidate.quality_alarm(bool(self.broken), at=at)

    def input_alarm(self, fingerprint: str, *, firing: bool, at: float) -> Iterable[Decision]:
        """An alarm on this model's inputs began or ended: answers to them compare nothing."""
        before = bool(self.moved)
        (self.moved.add if firing else self.moved.discard)(fingerprint)
        if self.moved and not before:
            yield from self.championship.begin_anew(self.candidates, at, "the inputs moved")

    def concept_drift(self, *, at: float) -> Iterable[Decision]:
        """An alarm says that the concept changed: what was compared is of another world."""
        yield from self.championship.begin_anew(self.candidates, at, "the concept changed")
        policy = self.spec.learning.on_concept_drift
        for candidate in self.candidates.values():
            if policy == "reset":
                candidate.restart(self.spec)
            elif policy == "challenger":
                candidate.begin_background(self.spec)

    # -- state -------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        return [
            self.join.state(),
            [each.state() for each in self.candidates.values()],
            self.championship.state(),
            self.bound.state(),
            [self.taught.state(), self.compared.state()],
            [sorted(self.broken), sorted(self.moved)],
            self.learned,
            self.champion_answered,
            self.champion_missed,
            [dict(sorted(each.items())) for each in self.last_inputs],
            self.log_time,
            self.advice.state(),
            self.plain.state() if self.plain is not None else None,
        ]

    def changed_parts(self) -> dict[str, Any]:
        """Parts of the state that changed since the last call; None for what is gone."""
        parts: dict[str, Any] = {**self.join.changed_blocks(), **self.examples.changed_blocks()}
        for name in self._gone:
            parts[f"m{name}"] = parts[f"b{name}"] = parts[f"s{name}"] = None
        self._gone = set()
        if self._plain_gone or (self.plain is not None and self.plain.changed):
            parts[_PLAIN_PART] = self.plain.pipeline_bytes() if self.plain is not None else None
            self._plain_gone = False
        for name, candidate in self.candidates.items():
            if candidate.changed:
                parts[f"m{name}"] = candidate.pipeline_bytes()
                parts[f"b{name}"] = candidate.background_bytes()
            if candidate.gate.changed:
                parts[f"s{name}"] = candidate.gate.parts()
        return parts

    def restore(self, state: list[Any], parts: Mapping[str, Any]) -> None:
        """Become what ``state`` and all parts described. All must have been authenticated."""
        join, candidates, championship, bound, words, alarms, self.learned = state[:7]
        self.champion_answered, self.champion_missed, inputs, self.log_time = state[7:11]
        self.last_inputs = deque(inputs, maxlen=MOST_TRIALS)
        self.advice.restore(state[11])
        blocks = {name: each for name, each in parts.items() if name[0] in "pl"}
        self.join = LabelJoin(self._rule(self.spec))
        self.join.restore(join, blocks)
        self.join.joined = []
        self.examples.restore(
            self.join.table.first, {n: each for n, each in parts.items() if n[0] == "f"}
        )
        for each in candidates:
            if each[0] in self.candidates and f"m{each[0]}" in parts:
                beside, gate = parts.get(f"b{each[0]}"), parts.get(f"s{each[0]}")
                self.candidates[each[0]].restore(each, parts[f"m{each[0]}"], beside, gate)
        # States of before there was one end here.
        if self.plain is not None and state[12:] and state[12] is not None:
            self.plain.restore(state[12], parts.get(_PLAIN_PART))
        self.championship.restore(championship)
        self.bound.restore(bound)
        self.taught.bound = self.bound.bound
        self.taught.restore(words[0])
        self.compared.restore(words[1])
        self.broken, self.moved = map(set, alarms)
