"""One model's learning on one partition: test, then train, record by record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ERROR, EventBatch
from streamgauge.labels import Amendment, JoinRule, LabelJoin, Released, Rows, Truth
from streamgauge.labels.block import LABELLED
from streamgauge.labels.digest import digests
from streamgauge.labels.names import NONE
from streamgauge.labels.released import Joined
from streamgauge.learning.advice import RetrainAdvice
from streamgauge.learning.candidate import Candidate, background
from streamgauge.learning.championship import Championship
from streamgauge.learning.examples import Examples, Said, Waiting
from streamgauge.learning.hold import Example
from streamgauge.learning.losses import LossBound, loss
from streamgauge.learning.promotion import Decision
from streamgauge.monitor.truth.scored import POSITIVE, Scorer
from streamgauge.monitor.truth.task import PositiveClass
from streamgauge.pipelines.building import build
from streamgauge.specs.model_spec import ModelSpec

#: How long predictions wait where the spec does not say, in seconds.
DEFAULT_HORIZON = 86_400.0
#: Newest inputs that are kept to test a stored model with.
MOST_TRIALS = 20


class Asked(NamedTuple):
    """A prediction that candidates are to answer: its record, its row, and what it stands for."""

    record: int
    number: int
    features: Mapping[str, Any]
    weight: float


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
        self.championship = Championship(spec.model)
        self.advice = RetrainAdvice(spec)
        self.bound = LossBound(spec.task or "")
        self.positive = PositiveClass(spec.labels.positive)
        self.scorer = Scorer(self.positive, spec.labels.threshold)
        #: Fingerprints of alarms that are open: on the quality of inputs, and on inputs at all.
        self.broken: set[str] = set()
        self.moved: set[str] = set()
        #: Examples learned by any candidate, and refused ones by reason.
        self.learned = 0
        self.champion_answered = 0
        self.champion_missed = 0.0
        self.last_inputs: list[Mapping[str, Any]] = []
        self.log_time = -math.inf
        self.changed = True

    @staticmethod
    def _rule(spec: ModelSpec) -> JoinRule:
        horizon = spec.label_delay.max_seconds
        return JoinRule(
            DEFAULT_HORIZON if horizon is None else horizon,
            spec.labels.pending_max,
            spec.labels.implicit_negative_after_seconds,
        )

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec from here on. Candidates that it drops are gone, others go on."""
        self.spec = spec
        self.join.set_rule(self._rule(spec))
        self.positive.declared, self.scorer.threshold = (
            spec.labels.positive,
            spec.labels.threshold,
        )
        kept = {}
        for name in spec.learning.challengers:
            known = self.candidates.get(name)
            if known is None:
                known = Candidate(name, spec)
                if self.broken:
                    known.quality_alarm(True, at=self.log_time)
            else:
                known.configure(spec)
            kept[name] = known
        self.candidates = kept
        self.advice.configure(spec)
        self.changed = True

    # -- a chunk -----------------------------------------------------------------------------

    def take(
        self,
        batches: Sequence[EventBatch],
        labels: Sequence[tuple[int, str, Truth]],
        reached: NDArray[np.float64],
    ) -> list[Decision]:
        """Take the predictions and labels of a chunk.

        Labels come as (record, id, truth); ``reached`` (records,) is the log's time after each
        record of the chunk.
        """
        self.join.log_times = reached
        asked: list[Asked] = []
        for batch in batches:
            asked += self._admit(batch, reached)
        if labels:
            records = [record for record, _, _ in labels]
            self.join.label(
                digests([name for _, name, _ in labels]),
                [truth for _, _, truth in labels],
                reached[records].tolist(),
                records,
            )
        return self.advance(float(reached[-1]), asked=asked)

    def advance(self, log_time: float, *, asked: Sequence[Asked] = ()) -> list[Decision]:
        """End a chunk at a log time: answer and learn in log order, then compare."""
        self.join.run_to(log_time)
        self._in_turn(asked)
        released = self.join.take()
        decisions = [each for part in released for each in self._compare(part)]
        self.examples.drop(self.join.table.first)
        self.join.log_times = np.zeros(0)
        self.log_time = max(self.log_time, log_time)
        self.changed = True
        return decisions

    def due(self, log_time: float) -> bool:
        return self.join.due(log_time)

    def _admit(self, batch: EventBatch, reached: NDArray[np.float64]) -> list[Asked]:
        """Let predictions wait; return (record, row, features) of those that do."""
        answered = np.flatnonzero(
            (batch.status != ERROR) & ~(batch.null_output & np.isnan(batch.score))
        )
        if not len(answered):
            return []
        if len(answered) < len(batch):
            batch = batch.take(answered)
        rows = Rows.empty(len(batch))
        rows.digest[:] = digests(batch.prediction_id)
        rows.logged[:] = np.where(np.isfinite(reached[batch.row]), reached[batch.row], 0.0)
        rows.time[:], rows.offset[:], rows.number[:] = batch.timestamp, batch.offset, batch.score
        rows.predicted[:] = self.join.said.codes(batch.label)
        rows.weight[:] = batch.weight
        first = self.join.table.end
        self.join.admit(rows, batch.row)
        numbers = self.join.table.find(rows.digest).tolist()
        found: list[Asked] = []
        seen: set[int] = set()
        features = batch.features.dicts()
        for place, number in enumerate(numbers):
            # One that was not admitted, or came before, is neither asked nor learned.
            if number >= first and number not in seen:
                seen.add(number)
                block, at = self.join.table.at(number)
                weight = float(block.rows.weight[at])
                found.append(Asked(int(batch.row[place]), number, features[place], weight))
        return found

    def _in_turn(self, asked: Sequence[Asked]) -> None:
        """Ask and teach in the order of the log."""
        assert self.join.joined is not None
        lessons = sorted(self.join.joined, key=lambda each: (each.record, each.after))
        self.join.joined = []
        place = 0
        for record, number, features, weight in sorted(asked, key=itemgetter(0, 1)):
            while place < len(lessons) and _comes_before(lessons[place], record):
                self._teach(lessons[place])
                place += 1
            self._ask(number, features, weight)
        for lesson in lessons[place:]:
            self._teach(lesson)

    def _ask(self, number: int, features: Mapping[str, Any], weight: float) -> None:
        said: dict[str, Said] = {}
        for candidate in self.candidates.values():
            said |= candidate.say(features)
        self.examples.keep(number, Waiting(features, said, weight))
        self.last_inputs = [*self.last_inputs[1 - MOST_TRIALS :], features]

    def _teach(self, lesson: Joined) -> None:
        waiting = self.examples.get(lesson.number)
        truth = self._truth(lesson.truth)
        if waiting is None or truth is None:
            return
        label = lesson.truth
        example = Example(
            waiting.features,
            truth,
            waiting.weight * (label.weight if label is not None else 1.0),
            "",
            (label.annotator or "") if label is not None else "",
        )
        self.learned += 1
        for candidate in self.candidates.values():
            candidate.learn(example, at=lesson.at)

    def _truth(self, truth: Truth | None) -> str | float | None:
        """The truth as pipelines learn it: the name of a class, or a number."""
        if self.spec.task == "regression":
            return None if truth is None or math.isnan(truth.number) else truth.number
        if truth is None:
            return self._negative()
        if truth.name is not None:
            return truth.name
        return None if math.isnan(truth.number) else f"{truth.number:g}"

    def _negative(self) -> str:
        """What the negative class is called: as labels called it, else ``false``."""
        names = [*self.join.truths.names, *self.join.said.names]
        return next((name for name in names if not self.positive.holds(name)), "false")

    # -- comparisons -------------------------------------------------------------------------

    def _compare(self, part: Released | Amendment) -> Iterator[Decision]:
        """Score champion and candidates on released rows, in prediction order, once each."""
        if isinstance(part, Amendment):
            # A contest has looked at it already; taking it back would let it look twice.
            return
        truths = self._released_truths(part)
        published = self._published(part)
        for place, truth in truths:
            number, at = part.first + place, float(part.rows.logged[place])
            waiting = self.examples.get(number)
            champion = loss(published[place], truth)
            if self.bound.bound is None and champion is not None:
                self.bound.look(champion)
            if champion is not None:
                self.champion_answered += 1
                self.champion_missed += champion
            losses = {
                name: loss(waiting.said.get(name), truth) if waiting is not None else None
                for name in self.candidates
            }
            for name, each in losses.items():
                if each is not None:
                    beside = waiting.said.get(background(name)) if waiting is not None else None
                    self.candidates[name].scored(each, loss(beside, truth))
            if not self.moved:
                yield from self.championship.score(
                    self.candidates, self.spec, at, champion, losses, self.bound.bound
                )

    def _released_truths(self, part: Released) -> list[tuple[int, str | float]]:
        rows = part.rows
        found: list[tuple[int, str | float]] = []
        for place in np.flatnonzero(rows.state == LABELLED).tolist():
            code = int(rows.truth[place])
            number = float(rows.truth_number[place])
            if self.spec.task == "regression":
                if not math.isnan(number):
                    found.append((place, number))
            elif code != NONE:
                found.append((place, self.join.truths.names[code]))
            elif not math.isnan(number):
                found.append((place, f"{number:g}"))
        return found

    def _published(self, part: Released) -> list[Said]:
        """What the model's service said, in the words of labels."""
        rows, names = part.rows, self.join.said.names
        if self.spec.task == "regression":
            return [None if math.isnan(each) else each for each in rows.number.tolist()]
        said: list[Said] = [
            names[code] if code != NONE else None for code in rows.predicted.tolist()
        ]
        if self.spec.task != "binary":
            return said
        self.positive.look([*names, *self.join.truths.names])
        words = self.join.truths.names
        yes = next((word for word in words if self.positive.holds(word)), "true")
        no = next((word for word in words if not self.positive.holds(word)), "false")
        scored = self.scorer.score("binary", rows, self.join.said, self.join.truths, None)
        for place, code in zip(scored.rows.tolist(), scored.predicted.tolist(), strict=True):
            said[place] = yes if code == POSITIVE else no
        return said

    # -- what else happens -------------------------------------------------------------------

    def quality_alarm(self, fingerprint: str, *, firing: bool, at: float) -> None:
        """A data-quality alarm of this model began or ended, at a log time."""
        before = bool(self.broken)
        (self.broken.add if firing else self.broken.discard)(fingerprint)
        if before != bool(self.broken):
            for candidate in self.candidates.values():
                candidate.quality_alarm(bool(self.broken), at=at)
        self.changed = True

    def input_alarm(self, fingerprint: str, *, firing: bool, at: float) -> Iterator[Decision]:
        """An alarm on this model's inputs began or ended: answers to them compare nothing."""
        before = bool(self.moved)
        (self.moved.add if firing else self.moved.discard)(fingerprint)
        if self.moved and not before:
            yield from self.championship.begin_anew(self.candidates, at, "the inputs moved")
        self.changed = True

    def concept_drift(self, *, at: float) -> Iterator[Decision]:
        """An alarm says that the concept changed: what was compared is of another world."""
        yield from self.championship.begin_anew(self.candidates, at, "the concept changed")
        policy = self.spec.learning.on_concept_drift
        for candidate in self.candidates.values():
            if policy == "reset":
                candidate.restart(build(self.spec, candidate.name))
            elif policy == "challenger":
                candidate.begin_background(self.spec)
        self.changed = True

    # -- state -------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        return [
            self.join.state(),
            [each.state() for each in self.candidates.values()],
            self.championship.state(),
            self.bound.state(),
            self.positive.state(),
            [sorted(self.broken), sorted(self.moved)],
            self.learned,
            self.champion_answered,
            self.champion_missed,
            [dict(each) for each in self.last_inputs],
            self.log_time,
            self.advice.state(),
        ]

    def changed_parts(self) -> dict[str, Any]:
        """Parts of the state that changed since the last call; None for what is gone."""
        parts: dict[str, Any] = {**self.join.changed_blocks(), **self.examples.changed_blocks()}
        for name, candidate in self.candidates.items():
            if candidate.changed:
                parts[f"m{name}"] = candidate.pipeline_bytes()
                parts[f"b{name}"] = candidate.background_bytes()
        return parts

    def restore(self, state: list[Any], parts: Mapping[str, Any]) -> None:
        """Become what ``state`` and all parts described. All must have been authenticated."""
        join, candidates, championship, bound, positive, broken, self.learned = state[:7]
        self.champion_answered, self.champion_missed, self.last_inputs, self.log_time = state[7:11]
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
                self.candidates[each[0]].restore(
                    each, parts[f"m{each[0]}"], parts.get(f"b{each[0]}")
                )
        self.championship.restore(championship)
        self.bound.restore(bound)
        self.positive.restore(positive)
        self.broken, self.moved = map(set, broken)
        self.changed = False


def _comes_before(lesson: Joined, record: int) -> bool:
    """Whether a lesson is learned before a prediction of a record is answered.

    A label that waited for this very prediction comes after it.
    """
    return lesson.record < record
